// Command browser opens a page in a real headless Chromium, does to it what it is
// told, as a person would, and prints what came of it as JSON: what scripts wrote
// to the console, what was requested, which dialogs opened, and a result a step.
//
//	browser -chromium PATH URL STEP…
//
// Steps:
//
//	eval JAVASCRIPT          its value is the step's result
//	click SELECTOR           with the mouse, in the middle of the first that fits
//	type SELECTOR << TEXT    with the keyboard, after a click
//	key NAME                 one key: Tab, Enter, Escape, or a character
//	media FEATURE=VALUE      prefers-color-scheme=dark; print or screen alone is the medium
//	size WIDTH HEIGHT        of the window
//	noscript                 loads the page anew, without its scripts
//	wait MILLISECONDS
//	until JAVASCRIPT         waits until its value is true
//	shot FILE                a PNG of the window; "shot* FILE" of the whole page
//	pdf FILE                 as it prints
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// What happened on the page, beside what was asked for.
type outcome struct {
	mu       sync.Mutex
	Console  []string `json:"console"`
	Requests []string `json:"requests"` // but for the page itself and data in it
	Dialogs  []string `json:"dialogs"`
	Opened   float64  `json:"opened"` // milliseconds until the page was loaded and drawn
	Results  []any    `json:"results"`
}

func main() {
	chromium := flag.String("chromium", "chromium", "the browser")
	limit := flag.Duration("timeout", 2*time.Minute, "for all of it")
	flag.Parse()
	log.SetFlags(0)
	if flag.NArg() < 1 {
		log.Fatal("browser -chromium PATH URL STEP…")
	}
	o := &outcome{Console: []string{}, Requests: []string{}, Dialogs: []string{}, Results: []any{}}
	if err := o.run(*chromium, *limit, flag.Arg(0), flag.Args()[1:]); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(o); err != nil {
		log.Fatal(err)
	}
}

// start prepares the browser with a profile of its own, which goes when it ends.
func start(chromium string, limit time.Duration) (context.Context, func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 1000),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancelTab := chromedp.NewContext(ctx)
	return ctx, func() { cancelTab(); cancelBrowser(); cancel() }
}

func (o *outcome) run(chromium string, limit time.Duration, url string, steps []string) error {
	ctx, stop := start(chromium, limit)
	defer stop()
	enable := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err1 := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		_, err2 := cdp.Call(ctx, t, cdplog.Enable, cdp.Empty{})
		return errors.Join(err1, err2)
	})
	err := chromedp.Do(ctx, enable)
	if err == nil {
		err = chromedp.Listen(ctx, func(event any) { o.note(ctx, url, event) })
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", chromium, err)
	}
	began := time.Now()
	drawn := chromedp.Evaluate[any](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise)
	err = chromedp.Do(ctx, chromedp.Navigate(url))
	if err == nil {
		_, err = chromedp.Run(ctx, drawn)
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", url, err)
	}
	o.Opened = float64(time.Since(began).Microseconds()) / 1000
	for _, text := range steps {
		result, err := step(ctx, text)
		if err != nil {
			return fmt.Errorf("%.200s: %w", text, err)
		}
		o.Results = append(o.Results, result)
	}
	o.mu.Lock() // what still comes is not printed
	return nil
}

// note remembers an event.
func (o *outcome) note(ctx context.Context, url string, event any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != url && !strings.HasPrefix(e.Request.URL, "data:") {
			o.Requests = append(o.Requests, e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			o.Console = append(o.Console, fmt.Sprintf("%s: %s", e.Type, arg.Value))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		o.Console = append(o.Console, "exception: "+text)
	case *cdplog.EventEntryAdded:
		o.Console = append(o.Console, fmt.Sprintf("%s %s: %s", e.Entry.Source, e.Entry.Level, e.Entry.Text))
	case *page.EventJavascriptDialogOpening:
		o.Dialogs = append(o.Dialogs, e.Message)
		go func() { _ = chromedp.Do(ctx, dismiss) }()
	}
}

var dismiss = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
	return err
})

var errUsage = errors.New("no such step")
