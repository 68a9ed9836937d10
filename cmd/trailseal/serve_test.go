package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// serve starts a server that holds a trail, and points AWS's environment at
// it. Its arguments change the trail or the server:
//
//	serve [recent] [days] [org] [versions] [expire=PREFIX] [damage=NAME] [fault=OPERATION,STATUS,CODE,KEY[,REGION]] [latency=TIME] [payer]
//
// and the words about KMS, which keyed takes.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	s := serving{spec: verifytest.DefaultSpec()}
	s.spec.Hours = 8
	for _, arg := range args {
		s.take(ts, arg)
	}
	world, err := verifytest.Mint(s.spec)
	ts.Check(err)
	if s.versions {
		world.Version(s.spec.Bucket)
		world.Hand(s.spec.Start.Add(100*time.Hour), "0123456789abcdef")
	}
	ts.Check(world.Damage(s.damages...))
	if s.expire != nil {
		world.Lifecycle(s.spec.Bucket, verify.Expiration{ID: "old-files", Prefix: *s.expire, Days: 1})
		world.Expire(time.Now())
	}
	if len(s.damages) == 0 {
		s.keyed.apply(ts, world)
	}
	server, err := verifytest.NewServer(world, s.opts)
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Setenv("AWS_ENDPOINT_URL", server.URL)
	ts.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	ts.Setenv("AWS_SECRET_ACCESS_KEY", "example")
}

// A serving is what serve's arguments ask for.
type serving struct {
	spec     verifytest.Spec
	opts     verifytest.ServerOptions
	damages  []string
	expire   *string // what is below this prefix expires after a day
	keyed    keyed
	versions bool // the bucket keeps what damages remove
}

func (s *serving) take(ts *testscript.TestScript, arg string) {
	name, value, _ := strings.Cut(arg, "=")
	switch name {
	case "recent":
		// The newest digest is an hour old: the next one is not due yet.
		s.spec.Start, s.spec.Phase, s.spec.Hours = time.Now().Add(-31*time.Hour), 0, 30
	case "days":
		s.spec.Start, s.spec.Phase, s.spec.Hours = time.Now().Add(-97*time.Hour), 0, 96
	case "expire":
		s.expire = &value
	case "org":
		s.spec.Organization, s.spec.Accounts = "o-exampleorgid", append(s.spec.Accounts, "444455556666")
	case "damage":
		s.damages = append(s.damages, value)
	case "fault":
		f := strings.SplitN(value+",", ",", 5)
		status, err := strconv.Atoi(f[1])
		ts.Check(err)
		s.opts.Faults = append(s.opts.Faults, verifytest.Fault{Operation: f[0], Status: status, Code: f[2], Key: f[3], Region: strings.TrimSuffix(f[4], ",")})
	case "latency":
		latency, err := time.ParseDuration(value)
		ts.Check(err)
		s.opts.Latency = latency
	case "versions":
		s.versions = true
	case "payer":
		s.opts.RequesterPays = map[string]bool{s.spec.Bucket: true}
	case "kms":
		s.spec.KMSKey = keyARN
	default:
		if !s.keyed.take(name, value) {
			ts.Fatalf("serve does not know %q", arg)
		}
	}
}
