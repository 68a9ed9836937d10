package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// step does one step and gives its result.
func step(ctx context.Context, text string) (any, error) {
	name, rest, _ := strings.Cut(text, " ")
	switch name {
	case "eval":
		return eval(ctx, rest)
	case "click":
		return nil, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(rest)))
	case "type":
		selector, keys, _ := strings.Cut(rest, " << ")
		return nil, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)), chromedp.KeyEvent(keys))
	case "key":
		named := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " "}
		if key, ok := named[rest]; ok {
			rest = key
		}
		return nil, chromedp.Do(ctx, chromedp.KeyEvent(rest))
	case "media":
		return nil, media(ctx, rest)
	case "size":
		var width, height int64
		if _, err := fmt.Sscan(rest, &width, &height); err != nil {
			return nil, err
		}
		return nil, chromedp.Do(ctx, chromedp.EmulateViewport(width, height))
	case "wait":
		ms, err := strconv.Atoi(rest)
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return nil, err
	case "until":
		return nil, until(ctx, rest)
	case "noscript":
		return nil, chromedp.Do(ctx, chromedp.Func(noScript), chromedp.Reload())
	case "shot", "shot*", "pdf":
		return nil, save(ctx, name, rest)
	}
	return nil, errUsage
}

func eval(ctx context.Context, script string) (any, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[any](script, chromedp.EvalAwaitPromise))
}

// until waits for a script to give true.
func until(ctx context.Context, script string) error {
	for range 400 {
		if value, err := eval(ctx, script); err != nil || value == true {
			return err
		}
		time.Sleep(25 * time.Millisecond)
	}
	return errors.New("it does not come true")
}

// media sets a media feature, or the medium.
func media(ctx context.Context, text string) error {
	name, value, feature := strings.Cut(text, "=")
	var p emulation.SetEmulatedMediaParams
	if feature {
		p.Features = []*emulation.MediaFeature{{Name: name, Value: value}}
	} else {
		p.Media = name
	}
	return chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, p)
		return err
	}))
}

// noScript forbids the page's scripts; those of eval run all the same.
func noScript(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

// save writes a picture of the page, or the page as it prints.
func save(ctx context.Context, kind, file string) error {
	action := chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize())
	switch kind {
	case "shot":
		action = chromedp.CaptureScreenshot()
	case "shot*":
		action = chromedp.FullScreenshot(100)
	}
	data, err := chromedp.Run(ctx, action)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}
