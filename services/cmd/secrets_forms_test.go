package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var wholeLog = regexp.MustCompile(`the whole log was compared with the journal" events=[1-9]`)

// forms are encodings of a text from which it can be read again.
func forms(text string) map[string][]string {
	all := map[string][]string{
		"as it is":      {text},
		"URL-encoded":   {url.QueryEscape(text), url.PathEscape(text)},
		"in hex":        {hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))},
		"in UTF-16":     {utf16(text)},
		"in base64":     nil,
		"in base64-URL": nil,
	}
	// What precedes a text shifts its base64. Apart from the characters at its
	// edges there are three variants.
	for shift := range 3 {
		padded := append(make([]byte, shift), text...)
		padded = padded[:len(padded)/3*3]
		from := (shift*8 + 5) / 6
		all["in base64"] = append(all["in base64"], base64.StdEncoding.EncodeToString(padded)[from:])
		all["in base64-URL"] = append(all["in base64-URL"], base64.URLEncoding.EncodeToString(padded)[from:])
	}
	return all
}

// utf16 is a text as written by a program with two bytes per character.
func utf16(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// findForm is the form in which a text is found, "" when it is not found.
func findForm(content []byte, text string) string {
	if bytes.Contains(content, []byte(text)) {
		return "as it is"
	}
	for form, list := range forms(text) {
		for _, one := range list {
			if bytes.Contains(content, []byte(one)) {
				return form
			}
		}
	}
	return ""
}

// plantControls describes repositories by texts in forms that a search for
// secrets has to find. It returns the texts by their forms.
func plantControls(t *testing.T, h *hubProcess) map[string]string {
	t.Helper()
	controls := map[string]string{}
	admin.does(t, h, "POST", "/api/v1/repositories", object{"name": "admin/control"})
	readme := ""
	for form := range forms("any text") {
		// As long as a secret, with characters that the forms encode differently.
		text := "control text? " + unique() + " ä>>>>>>>"
		controls[form] = text
		switch form {
		case "in UTF-16":
			delete(controls, form) // JSON never has this form
		case "in base64", "in base64-URL":
			encoding := base64.StdEncoding
			if form == "in base64-URL" {
				encoding = base64.URLEncoding
			}
			readme += encoding.EncodeToString([]byte("name:"+text+":more")) + "\n"
		default:
			readme += forms(text)[form][0] + "\n"
		}
	}
	admin.does(t, h, "PATCH", "/api/v1/repositories/admin/control", object{"readme": readme})
	return controls
}
