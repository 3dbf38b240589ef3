package apitypes

// A List is one page of a list, or all of a list that has no pages.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"What is on the page"`
	Next  string `json:"next,omitempty" doc:"Address of the next page; absent on the last"`
	Total int    `json:"total,omitempty" doc:"How many there are on all pages; absent where that is not known"`
}

// A Change answers a change that has nothing else to show.
type Change struct {
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}
