package verify

import (
	"context"
	"errors"
)

// Run verifies what the request asks for and tells the sink. The error is
// for what stopped the run from judging at all (a sink that cannot write);
// whatever is wrong with the trail is in the results, and a run that was
// interrupted ends in a summary that says so.
func Run(ctx context.Context, req Request, sink Sink) (Summary, error) {
	return Summary{}, errors.New("not written yet")
}
