// Package insights draws one HTML page, complete in itself, from what a run reports to S3: its
// summary under reports/runs/ and the marts under reports/marts/.
//
// How a mart is drawn stands in charts/<mart>.json; what the page is made of lies in page/.
package insights
