package verifytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// answers are the operations that are asked for in JSON 1.1, which is what
// both the Go SDK and botocore speak to CloudTrail and Organizations.
var answers = map[string]func(*Server, *request, map[string]any) (any, *apiError){
	"ListPublicKeys":       (*Server).listPublicKeys,
	"DescribeTrails":       (*Server).describeTrails,
	"GetTrail":             (*Server).getTrail,
	"GetTrailStatus":       (*Server).getTrailStatus,
	"DescribeOrganization": (*Server).describeOrganization,
	"Decrypt":              (*Server).decrypt,
	"DescribeKey":          (*Server).describeKey,
}

type apiError struct {
	status        int
	code, message string
}

func (s *Server) serveJSON(rw http.ResponseWriter, r *request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	in := map[string]any{}
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, &in)
	}
	if token, _ := in["NextToken"].(string); token != "" {
		r.page, _ = strconv.Atoi(token)
	}
	r.key, _ = in["KeyId"].(string)
	s.count(r.operation)
	if fault := s.fault(r); fault != nil {
		writeJSON(rw, fault.Status, map[string]any{"__type": fault.Code, "message": fault.Message})
		return
	}
	answer := answers[r.operation]
	if answer == nil || err != nil {
		writeJSON(rw, http.StatusBadRequest, map[string]any{"__type": "UnknownOperationException", "message": fmt.Sprint(r.operation, err)})
		return
	}
	out, refused := answer(s, r, in)
	if refused != nil {
		writeJSON(rw, refused.status, map[string]any{"__type": refused.code, "message": refused.message})
		return
	}
	writeJSON(rw, http.StatusOK, out)
}

func writeJSON(rw http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of strings, numbers and bytes
	}
	rw.Header().Set("Content-Type", "application/x-amz-json-1.1")
	rw.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	rw.WriteHeader(status)
	rw.Write(raw)
}

// listPublicKeys gives the region's keys that are valid in the span asked, or
// at the world's present where none is asked.
func (s *Server) listPublicKeys(r *request, in map[string]any) (any, *apiError) {
	start, end := timeField(in, "StartTime", s.w.Now()), timeField(in, "EndTime", s.w.Now())
	if start.After(end) {
		return nil, &apiError{http.StatusBadRequest, "InvalidTimeRangeException", "The start time is after the end time."}
	}
	keys := s.w.keysWithin(r.region, start, end, s.opts.AllKeys)
	out := map[string]any{}
	if n := s.opts.KeyPage; n > 0 {
		from := min((r.page-1)*n, len(keys))
		to := min(from+n, len(keys))
		if to < len(keys) {
			out["NextToken"] = strconv.Itoa(r.page + 1)
		}
		keys = keys[from:to]
	}
	out["PublicKeyList"] = wireKeys(keys)
	return out, nil
}

func wireKeys(keys []digest.PublicKey) []any {
	list := []any{}
	for _, k := range keys {
		list = append(list, map[string]any{
			"Value": k.Value, "Fingerprint": k.Fingerprint,
			"ValidityStartTime": k.Start.Unix(), "ValidityEndTime": k.End.Unix(),
		})
	}
	return list
}

// timeField is a time as JSON 1.1 has it: seconds since 1970.
func timeField(in map[string]any, name string, otherwise time.Time) time.Time {
	if seconds, ok := in[name].(float64); ok {
		return time.UnixMilli(int64(seconds * 1000)).UTC()
	}
	return otherwise
}

func (s *Server) describeTrails(r *request, in map[string]any) (any, *apiError) {
	wanted, _ := in["trailNameList"].([]any)
	shadows, said := in["includeShadowTrails"].(bool)
	list := []any{}
	for _, t := range s.w.trails {
		named := len(wanted) == 0
		for _, name := range wanted {
			named = named || name == t.Name || name == t.ARN
		}
		if named && (t.HomeRegion == r.region || t.MultiRegion && (shadows || !said)) {
			list = append(list, t.wire())
		}
	}
	return map[string]any{"trailList": list}, nil
}

func (t *Trail) wire() map[string]any {
	m := map[string]any{
		"Name": t.Name, "TrailARN": t.ARN, "S3BucketName": t.Bucket, "HomeRegion": t.HomeRegion,
		"IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": t.MultiRegion, "LogFileValidationEnabled": true,
		"HasCustomEventSelectors": false, "HasInsightSelectors": false, "IsOrganizationTrail": t.Organization != "",
	}
	if t.Prefix != "" {
		m["S3KeyPrefix"] = t.Prefix
	}
	if t.KMSKey != "" {
		m["KmsKeyId"] = t.KMSKey
	}
	return m
}

// trail finds a trail by ARN, or by name where it can be seen from the region.
func (s *Server) trail(r *request, in map[string]any) (*Trail, *apiError) {
	name, _ := in["Name"].(string)
	for _, t := range s.w.trails {
		if name == t.ARN || name == t.Name && (t.HomeRegion == r.region || t.MultiRegion) {
			return t, nil
		}
	}
	return nil, &apiError{http.StatusBadRequest, "TrailNotFoundException", "Unknown trail: " + name}
}

func (s *Server) getTrail(r *request, in map[string]any) (any, *apiError) {
	t, refused := s.trail(r, in)
	if refused != nil {
		return nil, refused
	}
	return map[string]any{"Trail": t.wire()}, nil
}

func (s *Server) getTrailStatus(r *request, in map[string]any) (any, *apiError) {
	t, refused := s.trail(r, in)
	if refused != nil {
		return nil, refused
	}
	return map[string]any{
		"IsLogging": true, "LatestDigestDeliveryTime": t.LatestDigest.Unix(), "LatestDeliveryTime": t.LatestLog.Unix(),
		"StartLoggingTime": s.w.Window().Start.Unix(),
	}, nil
}

func (s *Server) describeOrganization(*request, map[string]any) (any, *apiError) {
	for _, t := range s.w.trails {
		if t.Organization != "" {
			return map[string]any{"Organization": map[string]any{"Id": t.Organization, "MasterAccountId": t.Account}}, nil
		}
	}
	return nil, &apiError{http.StatusBadRequest, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."}
}

// serveQuery answers STS, which is asked in a form and answers in XML.
func (s *Server) serveQuery(rw http.ResponseWriter, r *request) {
	r.operation = r.FormValue("Action")
	s.count(r.operation)
	account := s.w.kms.account
	if r.operation != "GetCallerIdentity" {
		s3Error(rw, r, http.StatusBadRequest, "InvalidAction", strings.ToValidUTF8(r.operation, "?"))
		return
	}
	writeXML(rw, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
		`<Arn>`+s.w.kms.caller()+`</Arn><UserId>AIDAEXAMPLE</UserId><Account>`+account+`</Account>`+
		`</GetCallerIdentityResult><ResponseMetadata><RequestId>TRAILSEALTEST0001</RequestId></ResponseMetadata></GetCallerIdentityResponse>`, false)
}
