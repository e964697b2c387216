package dq

import (
	"context"

	"moviepipeline/internal/project"
)

// Parts are what rules may be about.
var Parts = []string{"all", "batch", "rows"}

// RecommendRequest is what to learn from. Data is an absolute path; Part is one of Parts.
type RecommendRequest struct {
	Data, Part string
	// Text leaves the columns of CSV files text.
	Text bool
}

// LeftOut is a rule that was proposed and did not stand, and why.
type LeftOut struct {
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

// Trial is a kind of fault: how often it was tried, the rules that caught it, and where none did.
type Trial struct {
	Fault  string   `json:"fault"`
	Tried  int      `json:"tried"`
	Caught int      `json:"caught"`
	Rules  []string `json:"rules"`
	Missed []string `json:"missed"`
}

// Recommendation is a proposed ruleset. The data pass all its rules.
type Recommendation struct {
	Ruleset string    `json:"ruleset"`
	Rules   int       `json:"rules"`
	Rows    int64     `json:"rows"`
	LeftOut []LeftOut `json:"left_out"`
	// Faults are those that any data can have; Planted are those of the project's Dataset, if the
	// data are a delivery of one.
	Faults  []Trial `json:"faults"`
	Dataset string  `json:"dataset,omitempty"`
	Planted []Trial `json:"planted,omitempty"`
}

// Recommend learns from data and gives a ruleset. Data that cannot be used are an error of wrong usage.
func Recommend(ctx context.Context, checkout project.Project, request RecommendRequest, progress Progress) (*Recommendation, error) {
	arguments := []string{"-m", "local.dq.recommend", "--data", request.Data, "--part", request.Part}
	if request.Text {
		arguments = append(arguments, "--text")
	}
	return ask[Recommendation](ctx, checkout, arguments, progress)
}
