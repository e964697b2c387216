package execution

import (
	"encoding/json"
	"fmt"
	"time"
)

// Summary is what the workflow says of a run: its output, and reports/runs/<execution>.json in the
// artifacts bucket.
type Summary struct {
	Execution  string `json:"execution"`
	Status     string `json:"status"`
	IngestDate string `json:"ingest_date"`
	// Began and Ended are the run's times; Ended is when the summary was made, before it was told.
	Began *time.Time `json:"began,omitempty"`
	Ended *time.Time `json:"ended,omitempty"`
	// Marts are the names of the marts that the run unloaded; none when it did not get that far.
	Marts    []string           `json:"marts,omitempty"`
	Error    *Failure           `json:"error"`
	Datasets map[string]Dataset `json:"datasets"`
}

// Failure is why a run failed.
type Failure struct {
	Step    *string `json:"step"`
	Dataset *string `json:"dataset"`
	Error   string  `json:"error"`
	Cause   string  `json:"cause"`
}

// Dataset is the outcome of a run for a dataset. Counts of rows are nil where the run did not get
// that far.
type Dataset struct {
	// Status is SUCCEEDED, FAILED, SKIPPED (no files) or BLOCKED (it refers to one that failed).
	Status      string       `json:"status"`
	Reason      *string      `json:"reason"`
	Read        *int64       `json:"read"`
	Processed   *int64       `json:"processed"`
	Quarantined *int64       `json:"quarantined"`
	Duplicates  *int64       `json:"duplicates"`
	Loaded      *int64       `json:"loaded"`
	FailedRules []FailedRule `json:"failed_rules"`
	// Warnings tell what is unusual and stopped nothing: columns that are not as in the batch before,
	// rules of the row ruleset that the batch as a whole breaks.
	Warnings []string `json:"warnings"`
}

// FailedRule is a rule with the number of rows that broke it; nil for a rule about a whole batch.
type FailedRule struct {
	Rule string `json:"rule"`
	Rows *int64 `json:"rows"`
}

// Result is a finished or broken-off run: its summary and its steps.
type Result struct {
	Summary
	Steps []Step `json:"steps"`
}

// ParseSummary decodes a summary.
func ParseSummary(content []byte) (Summary, error) {
	var summary Summary
	if err := json.Unmarshal(content, &summary); err != nil {
		return Summary{}, fmt.Errorf("summary of the run: %w", err)
	}
	summary.complete()
	return summary, nil
}

// complete makes absent lists empty, so that JSON readers need no special case.
func (s *Summary) complete() {
	if s.Datasets == nil {
		s.Datasets = map[string]Dataset{}
	}
	for name, dataset := range s.Datasets {
		if dataset.FailedRules == nil {
			dataset.FailedRules = []FailedRule{}
		}
		if dataset.Warnings == nil {
			dataset.Warnings = []string{}
		}
		s.Datasets[name] = dataset
	}
}
