package builds

// Coloured is how the server reads the colours of a line, for tests outside.
var Coloured = coloured

// Colours are lines with what terminals make of them.
var Colours = lines
