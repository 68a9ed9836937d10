package verify

import (
	"path"
	"sync/atomic"
	"time"
)

// Defaults of Limits and timing.
const (
	DefaultLogLimit    = 1 << 30           // uncompressed bytes of a log file
	DefaultDigestLimit = 256 << 20         // uncompressed bytes of a digest file
	PendingAge         = 48 * time.Hour    // how long a log may wait for a digest or backfill digest to name it
	DigestDue          = 135 * time.Minute // an hour's span, an hour to deliver it, and some

	// How far before the window chains are looked for that stop before it. Each
	// week costs a sixth of a listing a chain.
	DefaultLookback = 7 * 24 * time.Hour
	maxLookback     = 50 * 365 * 24 * time.Hour // beyond CloudTrail's beginning
)

// A Request says what to verify. Store, Keys and Now must be set.
type Request struct {
	Version     string // of the tool, for the report
	Source      string // as the user named it, for the report
	Store       Store
	Keys        Keys
	Copied      bool          // the source is known to be a copy: who copies may encrypt
	KeyStates   KeyStates     // what KMS says of the keys seen; nil: their states are not known
	OwnKeys     []string      // ARNs of the KMS keys that files may be encrypted with, whosever they are: the trail's own first, where HasTrailKey
	HasTrailKey bool          // the first of OwnKeys is what the trail encrypts with now
	KeysInCopy  string        // names of key files that lie in the copy they vouch for; empty where keys come from elsewhere
	Window      Window        // an end that is zero is that of what the source holds
	Now         time.Time     // the time of the run, UTC: what should be there by then
	Started     time.Time     // when the run began, where that is later: of evidence that was collected at Now; zero: Now
	Bundle      *Bundle       // the evidence bundle that the store is
	Versions    bool          // look through the versions of what is modified or deleted; the store must be Versioned
	Explain     bool          // look in the logs for events that explain what is found
	Lookback    time.Duration // 0: DefaultLookback
	Filter      Filter
	Policy      Policy
	Only        *Ref      // the one log file to read and judge: the others are passed over, and so is what no digest names
	All         bool      // report kept files too
	Delivery    *Delivery // what CloudTrail says of the trail, where it was asked
	LogLimit    int64     // 0: DefaultLogLimit
	DigestLimit int64     // 0: DefaultDigestLimit
	InFlight    int       // pieces of work in flight at once, 0: 256
	Progress    *Progress // counted into while the run goes on; may be nil

	watch *watch // told more than the sink is; nil: nobody
}

// A Filter narrows a run. Each field is a list of shell patterns, of which one
// must match; an empty list matches everything.
type Filter struct {
	Organizations []string
	Accounts      []string
	Regions       []string
	Trails        []string
	HomeRegions   []string
}

// Matches reports whether one of the patterns matches the word. A pattern
// that path.Match refuses matches nothing; CheckPatterns finds those early.
func Matches(patterns []string, word string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, word); ok && err == nil {
			return true
		}
	}
	return len(patterns) == 0
}

// A Delivery is what CloudTrail's GetTrailStatus says of a trail.
type Delivery struct {
	Trail        string    // its ARN
	Region       string    // its home region, which was asked
	LatestDigest time.Time // LatestDigestDeliveryTime; zero where there is none
	DigestError  string    // LatestDigestDeliveryError
	StatusError  string    // why nothing is known of the fields below; empty where it is
	Logging      bool      // IsLogging
	Validation   bool      // LogFileValidationEnabled
}

// Progress counts a run's work while it goes on. Any goroutine may read it.
type Progress struct {
	Chains, ChainsDone   atomic.Int64 // groups of chains found (an account's region) and finished
	Digests, DigestsDone atomic.Int64 // digest files found and judged
	Logs, LogsDone       atomic.Int64 // log files named so far and judged
	Fetched, Hashed      atomic.Int64 // compressed bytes read, uncompressed bytes hashed
	Total                atomic.Int64 // compressed bytes that are there to read, where that was measured; 0: not known
}
