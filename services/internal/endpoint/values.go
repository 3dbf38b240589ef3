package endpoint

// maxValues bounds the members and elements of a request's body, nested ones
// included. Every one of them may become an error of its own. The largest honest
// request is a token for 100 repositories.
const maxValues = 1000

// moreValues says whether a JSON text has more than max members and elements. It
// counts what begins or separates them outside of strings, and so does not need
// to read the text as JSON, which may cost a hundred times its length.
func moreValues(text []byte, max int) bool {
	n, quoted := 0, false
	for k := 0; k < len(text) && n <= max; k++ {
		switch c := text[k]; {
		case quoted && c == '\\':
			k++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n > max
}
