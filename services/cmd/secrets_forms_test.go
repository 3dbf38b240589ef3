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

// forms are ways to write a text down that leave it readable.
func forms(text string) map[string][]string {
	all := map[string][]string{
		"as it is":      {text},
		"URL-encoded":   {url.QueryEscape(text), url.PathEscape(text)},
		"in hex":        {hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))},
		"in UTF-16":     {utf16(text)},
		"in base64":     nil,
		"in base64-URL": nil,
	}
	// What stands before a text shifts its base64: all but the characters at its
	// edges is one of three.
	for shift := range 3 {
		padded := append(make([]byte, shift), text...)
		padded = padded[:len(padded)/3*3]
		from := (shift*8 + 5) / 6
		all["in base64"] = append(all["in base64"], base64.StdEncoding.EncodeToString(padded)[from:])
		all["in base64-URL"] = append(all["in base64-URL"], base64.URLEncoding.EncodeToString(padded)[from:])
	}
	return all
}

// utf16 is the text of a program that writes two bytes a character.
func utf16(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// findForm is the form in which a text is found, "" when it is not.
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
		// As long as a secret, with what the forms write differently.
		text := "control text? " + unique() + " ä>>>>>>>"
		controls[form] = text
		switch form {
		case "in UTF-16":
			delete(controls, form) // no JSON has it
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
