package report

import "github.com/trailseal/trailseal/verify"

// The forms below are what OCSF 1.8.0 calls by the same names, as far as they
// are used here (https://schema.ocsf.io/1.8.0). All but resources of
// Compliance Finding and is_alert are as they were in 1.2.0.

type ocsfEvent struct {
	ActivityID   int              `json:"activity_id"`
	ActivityName string           `json:"activity_name"`
	CategoryUID  int              `json:"category_uid"`
	CategoryName string           `json:"category_name"`
	ClassUID     int              `json:"class_uid"`
	ClassName    string           `json:"class_name"`
	TypeUID      int              `json:"type_uid"`
	TypeName     string           `json:"type_name"`
	SeverityID   int              `json:"severity_id"`
	Severity     string           `json:"severity"`
	StatusID     int              `json:"status_id"`
	Status       string           `json:"status"`
	Time         int64            `json:"time"` // ms since 1970, as all times
	StartTime    *int64           `json:"start_time,omitempty"`
	EndTime      *int64           `json:"end_time,omitempty"`
	IsAlert      bool             `json:"is_alert,omitempty"`
	Message      string           `json:"message"`
	Metadata     ocsfMetadata     `json:"metadata"`
	Cloud        ocsfCloud        `json:"cloud"`
	FindingInfo  ocsfFindingInfo  `json:"finding_info"`
	Compliance   *ocsfCompliance  `json:"compliance,omitempty"`
	Evidences    []ocsfEvidence   `json:"evidences,omitempty"`
	Resources    []ocsfResource   `json:"resources,omitempty"`
	Remediation  *ocsfRemediation `json:"remediation,omitempty"`
	Unmapped     any              `json:"unmapped,omitempty"`
}

type ocsfMetadata struct {
	Version     string      `json:"version"` // of OCSF
	Product     ocsfProduct `json:"product"`
	Profiles    []string    `json:"profiles"`
	Correlation string      `json:"correlation_uid"` // the same on all lines of a run
	Sequence    int64       `json:"sequence"`
}

type ocsfProduct struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version"`
}

type ocsfCloud struct {
	Provider string       `json:"provider"`
	Account  *ocsfAccount `json:"account,omitempty"`
	Org      *ocsfOrg     `json:"org,omitempty"`
	Region   string       `json:"region,omitempty"`
}

type ocsfAccount struct {
	UID    string `json:"uid"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

type ocsfOrg struct {
	UID string `json:"uid"`
}

type ocsfFindingInfo struct {
	UID      string        `json:"uid"`
	Title    string        `json:"title"`
	Desc     string        `json:"desc"`
	Types    []string      `json:"types,omitempty"` // the verdict and its reasons
	Analytic *ocsfAnalytic `json:"analytic,omitempty"`
}

type ocsfAnalytic struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

type ocsfCompliance struct {
	Standards []string `json:"standards"`
	Control   string   `json:"control"`
	StatusID  int      `json:"status_id"`
	Status    string   `json:"status"`
	Detail    string   `json:"status_detail"`
}

type ocsfEvidence struct {
	Databucket *ocsfBucket `json:"databucket,omitempty"`
	File       *ocsfFile   `json:"file,omitempty"`
	Data       any         `json:"data,omitempty"`
}

type ocsfBucket struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	TypeID int    `json:"type_id"`
}

type ocsfFile struct {
	Name    string     `json:"name"`
	Path    string     `json:"path"`
	Type    string     `json:"type"`
	TypeID  int        `json:"type_id"`
	Size    int64      `json:"size,omitempty"`
	Version string     `json:"version,omitempty"`
	Hashes  []ocsfHash `json:"hashes,omitempty"` // of what was found
}

// An ocsfHash is a fingerprint.
type ocsfHash struct {
	Algorithm   string `json:"algorithm"`
	AlgorithmID int    `json:"algorithm_id"`
	Value       string `json:"value"`
}

type ocsfResource struct {
	UID       string `json:"uid,omitempty"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Region    string `json:"region,omitempty"`
	Partition string `json:"cloud_partition,omitempty"`
}

type ocsfRemediation struct {
	Desc string `json:"desc"`
}

// ocsfVouched is what OCSF has no place for: what should have been found.
type ocsfVouched struct {
	Reasons  []verify.Reason `json:"reasons,omitempty"`
	Expected string          `json:"expected_sha256,omitempty"`
	Actual   string          `json:"actual_sha256,omitempty"`
	Digest   string          `json:"digest,omitempty"`
	KMSKey   string          `json:"kms_key,omitempty"`
	Envelope string          `json:"envelope,omitempty"`
	Recover  *verify.Recover `json:"recover,omitempty"`
}

// ocsfCounts are what a chain, or the run, comes to.
type ocsfCounts struct {
	Backfill    bool                   `json:"backfill,omitempty"`
	Chains      int                    `json:"chains,omitempty"`
	Digests     map[verify.Verdict]int `json:"digests"`
	Logs        map[verify.Verdict]int `json:"logs"`
	Coverage    []verify.Share         `json:"coverage,omitempty"`
	Interrupted bool                   `json:"interrupted,omitempty"`
	Exit        *int                   `json:"exit,omitempty"`
	Bundle      *verify.Bundle         `json:"bundle,omitempty"`
	Events      []verify.Explanation   `json:"explanations,omitempty"`
	MoreEvents  int64                  `json:"unlisted_events,omitempty"`
}
