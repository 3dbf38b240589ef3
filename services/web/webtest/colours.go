package webtest

import "hubledger/services/web/frame"

// Colours are lines of logs with what terminals make of them.
var Colours = map[string][]frame.Span{
	"plain\ttext":                                         {{Class: "", Text: "plain\ttext"}},
	"\x1b[31mred\x1b[0m not":                              {{Class: "sgr-red", Text: "red"}, {Class: "", Text: " not"}},
	"\x1b[1;92mok\x1b[22m thin\x1b[39m.":                  {{Class: "sgr-green sgr-bold", Text: "ok"}, {Class: "sgr-green", Text: " thin"}, {Class: "", Text: "."}},
	"\x1b[38;5;196mone\x1b[38;2;1;2;31mtwo":               {{Class: "", Text: "one"}, {Class: "", Text: "two"}},
	"10%\r20%\r100%\r":                                    {{Class: "", Text: "100%"}},
	"\x1b[2K\x1b[1Aup":                                    {{Class: "", Text: "up"}},
	"\x1b]8;;https://evil.example\x07link\x1b]8;;\x1b\\.": {{Class: "", Text: "link"}, {Class: "", Text: "."}},
	"<script>\x00alert(1)":                                {{Class: "", Text: "<script>alert(1)"}},
	"\x1b":                                                nil,
	"\x1b[31":                                             nil,
}
