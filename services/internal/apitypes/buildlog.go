package apitypes

// A BuildLogLines is a part of the lines that a build has written.
type BuildLogLines struct {
	Lines []BuildLogLine `json:"lines" nullable:"false" doc:"In the order in which they began"`
	Total int            `json:"total" doc:"How many there are so far"`
	Next  uint64         `json:"next" doc:"What comes behind them: Last-Event-ID of the live log"`
	Ended bool           `json:"ended" doc:"The build has ended: there will be no more"`
}

// A BuildLogLine is one line. Steps that run at the same time write between each other's
// lines; a line is of one step.
type BuildLogLine struct {
	Number int    `json:"number" doc:"From 1: it stays the same"`
	Step   int    `json:"step" doc:"Number of the step; 0 for the build itself"`
	Text   string `json:"text" doc:"As it was written, with what terminals take for colours, without the line break; bytes that are no UTF-8 are replaced"`
	Cut    bool   `json:"cut,omitempty" doc:"It is longer than 4096 bytes, and the rest is left out"`
	Open   bool   `json:"open,omitempty" doc:"More may come: it has no line break yet"`
}
