package report

import "encoding/xml"

// The elements of JUnit's XML, in the order and with the attributes that both
// of its common schemas ask for, the one of Ant and the one of Jenkins. Ant's
// allows neither counts in the root nor output in a test case.

type xmlSuite struct {
	XMLName    xml.Name      `xml:"testsuite"`
	ID         int           `xml:"id,attr"`
	Package    string        `xml:"package,attr"`
	Name       string        `xml:"name,attr"`
	Timestamp  string        `xml:"timestamp,attr"` // without a zone, says the schema: UTC
	Hostname   string        `xml:"hostname,attr"`
	Tests      int           `xml:"tests,attr"`
	Failures   int           `xml:"failures,attr"`
	Errors     int           `xml:"errors,attr"`
	Time       string        `xml:"time,attr"` // seconds
	Properties []xmlProperty `xml:"properties>property"`
	Cases      []xmlCase     `xml:"testcase"`
	Out        xmlText       `xml:"system-out"`
	Err        string        `xml:"system-err"`
}

type xmlProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type xmlCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr"`
	Failure *xmlProblem `xml:"failure"`
	Error   *xmlProblem `xml:"error"`
}

type xmlProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

type xmlText struct {
	Text string `xml:",cdata"`
}
