package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trailseal/trailseal/verify/verifytest"
)

// serve starts a server that holds a trail, and points AWS's environment at
// it. Its arguments change the trail or the server:
//
//	serve [recent] [org] [damage=NAME] [fault=OPERATION,STATUS,CODE,KEY] [latency=TIME]
func serve(ts *testscript.TestScript, _ bool, args []string) {
	spec := verifytest.DefaultSpec()
	spec.Hours = 8
	var opts verifytest.ServerOptions
	var damages []string
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "recent":
			// The newest digest is an hour old: the next one is not due yet.
			spec.Start, spec.Phase, spec.Hours = time.Now().Add(-31*time.Hour), 0, 30
		case "org":
			spec.Organization, spec.Accounts = "o-exampleorgid", append(spec.Accounts, "444455556666")
		case "damage":
			damages = append(damages, value)
		case "fault":
			f := strings.SplitN(value, ",", 4)
			status, err := strconv.Atoi(f[1])
			ts.Check(err)
			opts.Faults = append(opts.Faults, verifytest.Fault{Operation: f[0], Status: status, Code: f[2], Key: f[3]})
		case "latency":
			latency, err := time.ParseDuration(value)
			ts.Check(err)
			opts.Latency = latency
		default:
			ts.Fatalf("serve does not know %q", arg)
		}
	}
	world, err := verifytest.Mint(spec)
	ts.Check(err)
	ts.Check(world.Damage(damages...))
	server, err := verifytest.NewServer(world, opts)
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Setenv("AWS_ENDPOINT_URL", server.URL)
	ts.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	ts.Setenv("AWS_SECRET_ACCESS_KEY", "example")
}
