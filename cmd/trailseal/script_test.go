package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trailseal": main})
}

// TestScripts runs the real command in the scripts of testdata/script. Each
// reads as an example of use and says what is on which stream. UPDATE_SCRIPTS=1
// writes the files that they compare with anew.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			// No AWS but what a script brings with it.
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_CONFIG_FILE", env.WorkDir+"/none")
			env.Setenv("AWS_SHARED_CREDENTIALS_FILE", env.WorkDir+"/none")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "mute": mute, "serve": serve, "policy": policy},
	})
}

// status runs a command and wants exactly this exit status:
//
//	status 3 trailseal verify DIR
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER COMMAND ARGUMENTS...")
	}
	got, err := 0, ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got, err = failed.ExitCode(), nil
	}
	if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// mute starts a server that takes connections and never answers, and puts its
// address into $MUTE.
func mute(ts *testscript.TestScript, _ bool, _ []string) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Setenv("MUTE", "http://"+server.Addr().String())
}
