package webtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hubledger/services/server/servertest"
)

// Chromium is a tab of a real browser.
type Chromium struct {
	T   testing.TB
	Hub *servertest.Server
	Ctx context.Context

	mu     sync.Mutex
	errors []string
}

// NeedSoak skips a test in Chromium, which takes a while, where HUBLEDGER_SOAK is not set.
func NeedSoak(t testing.TB) {
	t.Helper()
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: Chromium takes a while")
	}
}

// OpenChromium opens Chromium, with the cookies of a browser that is signed in; nil for
// nobody. Without Chromium the test is skipped, or fails where HUBLEDGER_REQUIRE is 1.
func OpenChromium(t testing.TB, hub *servertest.Server, as *Browser) *Chromium {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal("chromium is not installed: apt-get install chromium")
		}
		t.Skip("chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("no-sandbox", true),
		chromedp.UserDataDir(t.TempDir()))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	c := &Chromium{T: t, Hub: hub, Ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // starts it, to live as long as its context
		t.Fatal(err)
	}
	watch(c, log.EntryAdded, func(e *log.EventEntryAdded) string {
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			return e.Entry.Text + " " + e.Entry.URL
		}
		return ""
	})
	watch(c, runtime.ExceptionThrown, func(e *runtime.EventExceptionThrown) string { return "exception: " + e.ExceptionDetails.Text })
	Send(c, log.Enable, cdp.Empty{})
	Send(c, runtime.Enable, cdp.Empty{})
	if as != nil {
		c.SignInAs(as)
	}
	return c
}

// watch notes what a kind of event tells of, until the browser ends.
func watch[E any](c *Chromium, kind cdp.Event[E], text func(*E) string) {
	all := chromedp.Events(c.Ctx, kind)
	go func() {
		for e, err := range all {
			if err != nil {
				return
			}
			if s := text(&e); s != "" {
				c.mu.Lock()
				c.errors = append(c.errors, s)
				c.mu.Unlock()
			}
		}
	}()
}

// Send sends a command of the browser's protocol, and ends the test when it fails.
func Send[P, R any](c *Chromium, command cdp.Command[P, R], params P) R {
	c.T.Helper()
	return Run(c, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, command, params) })
}

// Run runs an action, and ends the test when it fails or takes over a minute.
func Run[T any](c *Chromium, action chromedp.Action[T]) T {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.Ctx, time.Minute)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		c.T.Fatal(err)
	}
	return got
}

// Errors are what the console got since the last call.
func (c *Chromium) Errors() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.errors
	c.errors = nil
	return list
}

// SignInAs takes the cookies of another browser.
func (c *Chromium) SignInAs(b *Browser) {
	c.T.Helper()
	at, err := url.Parse(c.Hub.URL)
	if err != nil {
		c.T.Fatal(err)
	}
	for _, cookie := range b.HTTP.Jar.Cookies(at) {
		Send(c, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: c.Hub.URL, HTTPOnly: new(true)})
	}
}

// Open opens a page of the hub.
func (c *Chromium) Open(path string) {
	c.T.Helper()
	Run(c, chromedp.Navigate(c.Hub.URL+path))
}

// Window sets the size of the window, as a phone below 500 pixels, and the theme that the
// system has.
func (c *Chromium) Window(width, height int64, dark bool) {
	c.T.Helper()
	theme := "light"
	if dark {
		theme = "dark"
	}
	Send(c, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
	Send(c, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
}

// Media has pages made for a medium, "print" or "" for the screen, and for what people have set, as
// name and value, such as "forced-colors" and "active".
func (c *Chromium) Media(medium string, features ...string) {
	c.T.Helper()
	p := emulation.SetEmulatedMediaParams{Media: medium}
	for k := 0; k+1 < len(features); k += 2 {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: features[k], Value: features[k+1]})
	}
	Send(c, emulation.SetEmulatedMedia, p)
}

// Scripts turns scripts of pages on or off.
func (c *Chromium) Scripts(on bool) {
	c.T.Helper()
	Send(c, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Sideways lists the elements for which the page scrolls sideways.
func (c *Chromium) Sideways() []string {
	c.T.Helper()
	return Run(c, chromedp.Evaluate[[]string](`document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1 ? [] :
		[...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".scroll, .copy, .log, .tabs, nav, .skip"))
			.slice(0, 5).map(e => e.outerHTML.slice(0, 150)).concat("the page is wider than the window")`))
}

// A Violation is one of axe-core's.
type Violation struct {
	Impact, ID, Help string
	Nodes            []string
}

// Axe judges the page that is open by axe-core, of which program is the text. The page's own
// policy stays as it is: the program comes by the debugger.
func (c *Chromium) Axe(program string) []Violation {
	c.T.Helper()
	Run(c, chromedp.Evaluate[chromedp.Void](program+"\n;0"))
	return Run(c, chromedp.Evaluate[[]Violation](`axe.run().then(r => r.violations.map(v => ({Impact: v.impact, ID: v.id, Help: v.help,
		Nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 200) + " " + (n.any[0] ? n.any[0].message : ""))})))`, chromedp.EvalAwaitPromise))
}

// Shot is a picture of the page that is open, whole.
func (c *Chromium) Shot() []byte {
	c.T.Helper()
	return Send(c, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)}).Data
}

// Text is what people read in the main part of the page that is open.
func (c *Chromium) Text() string {
	c.T.Helper()
	return strings.Join(strings.Fields(Run(c, chromedp.Text("main"))), " ")
}

// Wait waits until an expression of JavaScript is true, also across pages.
func (c *Chromium) Wait(expression string) {
	c.T.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(c.Ctx, 10*time.Second)
		// While a page is left for another one, an evaluation may fail.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("!!(%s)", expression)))
		cancel()
		if err == nil && ok {
			return
		}
	}
	c.T.Fatalf("waited in vain for %s; the page says %s", expression, c.Text())
}
