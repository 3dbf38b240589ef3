package people

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"rsc.io/qr"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/totp"
	"hubledger/services/web/frame"
)

type secondFactorPage struct {
	apitypes.SecondFactor
	Key, Parts string // while it is off: the key to set an authenticator up with, and as people read it
	Link       template.URL
	Picture    template.HTML // the link as a QR code
}

// showSecondFactor makes a key while there is none. It is kept when a code confirms it, so
// a page that is left leaves nothing.
func showSecondFactor(v *frame.Visit) (any, error) {
	now, err := frame.Get[apitypes.SecondFactor](v, frame.Path("users", v.Me(), "second-factor"), nil)
	if err != nil || now.On {
		return secondFactorPage{SecondFactor: now}, err
	}
	p := secondFactorPage{Key: totp.NewKey()}
	if _, err := totp.ParseKey(v.Sent.Get("key")); err == nil { // that of the page that was sent
		p.Key = v.Sent.Get("key")
	}
	for k := 0; k < len(p.Key); k += 4 {
		p.Parts += " " + p.Key[k:min(k+4, len(p.Key))]
	}
	p.Parts = p.Parts[1:]
	link := totp.URI(v.Host(), v.Me(), p.Key)
	p.Link = template.URL(link) // escaped there
	p.Picture, err = picture(link)
	return p, err
}

// picture is a text as a QR code in SVG, dark on light in every theme: cameras need that.
func picture(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	const edge = 4 // modules, as ISO/IEC 18004 asks for
	var b strings.Builder
	size := code.Size + 2*edge
	fmt.Fprintf(&b, `<svg class="qr" role="img" aria-label="QR code of the key" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, size, size, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+edge, y+edge, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil // numbers only
}

// turnOnSecondFactor shows recovery codes on the page, this once.
func turnOnSecondFactor(v *frame.Visit) (string, error) {
	want := apitypes.SecondFactorRequest{Password: v.Sent.Get("password"), Key: v.Sent.Get("key"), Code: v.Sent.Get("code")}
	var made apitypes.RecoveryCodes
	if _, err := v.Send(http.MethodPut, frame.Path("users", v.Me(), "second-factor"), want, &made); err != nil {
		v.Sent.Del("code") // a code is not shown again
		return "", frame.At("password", err)
	}
	v.Made, v.Sent = madeCodes{made, false}, nil
	return "", nil
}

// madeCodes are recovery codes, which a page shows this once.
type madeCodes struct {
	apitypes.RecoveryCodes
	Renewed bool // the second factor was on before
}

func renewRecoveryCodes(v *frame.Visit) (string, error) {
	if v.Sent.Get("code") == "" {
		return "", endpoint.Invalid("body.code", "give a code, or a recovery code")
	}
	want := apitypes.RecoveryCodesRequest{Password: v.Sent.Get("password"), Code: v.Sent.Get("code")}
	var made apitypes.RecoveryCodes
	if _, err := v.Send(http.MethodPost, frame.Path("users", v.Me(), "second-factor", "recovery-codes"), want, &made); err != nil {
		v.Sent.Del("code")
		return "", frame.At("password", err)
	}
	v.Made, v.Sent = madeCodes{made, true}, nil
	return "", nil
}

func turnOffSecondFactor(v *frame.Visit) (string, error) {
	if v.Sent.Get("code") == "" {
		return "", endpoint.Invalid("body.code", "give a code, or a recovery code")
	}
	want := apitypes.SecondFactorRemoval{Password: v.Sent.Get("password"), Code: v.Sent.Get("code")}
	seq, err := v.Send(http.MethodPost, frame.Path("users", v.Me(), "second-factor", "removal"), want, nil)
	if err != nil {
		v.Sent.Del("code")
		return "", frame.At("password", err)
	}
	return frame.Done("/account/second-factor", seq, nil)
}

// dropSecondFactor turns off that of somebody who has lost what makes the codes.
func dropSecondFactor(v *frame.Visit) (string, error) {
	name := v.Path("user")
	if name == v.Me() {
		return "/account/second-factor", nil
	}
	seq, err := v.Send(http.MethodPost, frame.Path("users", name, "second-factor", "removal"), apitypes.SecondFactorRemoval{}, nil)
	return frame.Done(userAt(name), seq, err)
}
