package verifytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/trailseal/trailseal/verify"
)

// A Validation is what `aws cloudtrail validate-logs` said.
type Validation struct {
	Exit           int
	Stdout, Stderr string
	Files          map[string]string // by s3:// address: "valid", or what is wrong in its words
	Elapsed        time.Duration
	CPU            time.Duration
}

// ValidateLogs runs the reference implementation, the AWS CLI on the PATH,
// over one chain's account and region as the server has it. It is what
//
//	AWS_ENDPOINT_URL=http://127.0.0.1:PORT AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x \
//	aws cloudtrail validate-logs --region REGION --trail-arn ARN \
//	    --start-time START --end-time END --account-id ACCOUNT --verbose
//
// does by hand. The error is for a CLI that could not be run; it wraps
// exec.ErrNotFound where there is none.
func (s *Server) ValidateLogs(ctx context.Context, t Trail, account, region string, w verify.Window) (*Validation, error) {
	aws, err := exec.LookPath("aws")
	if err != nil {
		return nil, fmt.Errorf("the AWS CLI: %w", err)
	}
	cmd := exec.CommandContext(ctx, aws, "cloudtrail", "validate-logs", "--region", region, "--trail-arn", t.ARN,
		"--start-time", w.Start.Format(timeLayout), "--end-time", w.End.Format(timeLayout), "--account-id", account, "--verbose")
	cmd.Env = s.Env()
	var out, warn bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &warn
	began := time.Now()
	err = cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("the AWS CLI: %w", err)
	}
	state := cmd.ProcessState
	v := &Validation{
		Exit: state.ExitCode(), Stdout: out.String(), Stderr: warn.String(), Files: map[string]string{},
		Elapsed: time.Since(began), CPU: state.UserTime() + state.SystemTime(),
	}
	v.read(v.Stdout)
	v.read(v.Stderr)
	return v, nil
}

// read takes the lines that name a file: "Log file\ts3://…\tvalid".
func (v *Validation) read(text string) {
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 3 && strings.HasSuffix(f[0], " file") {
			v.Files[f[1]] = f[2]
		}
	}
}

// Env is the environment of a process that takes the server for AWS: this
// process's, without its AWS settings.
func (s *Server) Env() []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "AWS_") })
	return append(env, "AWS_ENDPOINT_URL="+s.URL, "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=3", "AWS_PAGER=", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}
