package report

// The forms below are those parts of the AWS Security Finding Format that are
// used here, schema version 2018-10-08.

type asffFinding struct {
	SchemaVersion string
	ID            string `json:"Id"`
	ProductArn    string
	ProductName   string
	GeneratorID   string `json:"GeneratorId"`
	AwsAccountID  string `json:"AwsAccountId"`
	Types         []string
	CreatedAt     string
	UpdatedAt     string
	Severity      asffSeverity
	Title         string
	Description   string
	Remediation   *asffRemediation `json:",omitempty"`
	ProductFields map[string]string
	Resources     []asffResource
	Compliance    *asffCompliance `json:",omitempty"`
	RecordState   string
	Provider      asffProvider `json:"FindingProviderFields"`
}

type asffSeverity struct {
	Label    string
	Original string
}

type asffRemediation struct{ Recommendation struct{ Text string } }

type asffCompliance struct{ Status string }

// An asffProvider says once more what only the finder of a finding changes.
type asffProvider struct {
	Severity asffSeverity
	Types    []string
}

type asffResource struct {
	Type      string
	ID        string       `json:"Id"`
	Partition string       `json:",omitempty"`
	Region    string       `json:",omitempty"`
	Details   *asffDetails `json:",omitempty"`
}

type asffDetails struct {
	Object *asffObject `json:"AwsS3Object,omitempty"`
	Trail  *asffTrail  `json:"AwsCloudTrailTrail,omitempty"`
}

type asffObject struct {
	VersionID string `json:"VersionId,omitempty"`
	KMSKey    string `json:"SSEKMSKeyId,omitempty"`
}

type asffTrail struct {
	Name       string
	HomeRegion string `json:",omitempty"`
}
