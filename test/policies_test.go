package test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// statement is one statement of a policy, with its place.
type statement struct {
	owner                         resource
	effect                        string
	actions, resources            []string
	principal, condition          any
	principals                    string
	trust, onResource, ofIdentity bool
}

func (s statement) String() string {
	return fmt.Sprintf("%s: %s", s.owner, strings.Join(s.actions, ", "))
}

// statements are those of all policies in a form: of roles, of resources, and who may assume a role.
func statements(t *testing.T, form string) []statement {
	t.Helper()
	var found []statement
	add := func(owner resource, document any, mark func(*statement)) {
		list, _ := at(document, "Statement").([]any)
		for _, raw := range list {
			parsed := statement{
				owner: owner, effect: at(raw, "Effect").(string), actions: texts(at(raw, "Action")), resources: texts(at(raw, "Resource")),
				principal: at(raw, "Principal"), principals: text(at(raw, "Principal")), condition: at(raw, "Condition"),
			}
			mark(&parsed)
			found = append(found, parsed)
		}
	}
	identity := func(s *statement) { s.ofIdentity = true }
	for _, owner := range resources(t, form, "") {
		switch owner.Type {
		case "AWS::IAM::Role":
			add(owner, owner.Properties["AssumeRolePolicyDocument"], func(s *statement) { s.trust = true })
			inline, _ := owner.Properties["Policies"].([]any)
			for _, policy := range inline {
				add(owner, at(policy, "PolicyDocument"), identity)
			}
		case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
			add(owner, owner.Properties["PolicyDocument"], identity)
		default:
			for _, property := range []string{"PolicyDocument", "KeyPolicy"} {
				add(owner, owner.Properties[property], func(s *statement) { s.onResource = true })
			}
		}
	}
	return found
}

// texts are the strings of a value that is one or many; what CloudFormation puts together becomes
// its JSON without the quotes of a plain text.
func texts(value any) []string {
	if value == nil {
		return nil
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var all []string
	for _, item := range list {
		if plain, isText := item.(string); isText {
			all = append(all, plain)
		} else {
			all = append(all, text(item))
		}
	}
	return all
}

// madeByCDK are the functions that CDK deploys to copy files and to empty buckets, and their roles.
// Their policies are CDK's.
var madeByCDK = regexp.MustCompile(`^Custom(CDKBucketDeployment|S3AutoDeleteObjects)`)

func TestNoWildcardPrincipal(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if s.effect == "Allow" {
				assert.NotContains(t, s.principals, `"*"`, "%s", s)
			}
			if s.trust || s.onResource {
				assert.NotEqual(t, "null", s.principals, "%s", s)
			}
		}
	})
}

// withoutAccount are the roles of services that document no condition on the account.
var withoutAccount = regexp.MustCompile(`^(CopyRole|VisualJobsRole)`)

// A service acts for resources of this account alone. Redshift documents no such condition for the
// role of COPY, Lambda none for that of a function; CDK's functions are trusted as CDK does.
func TestServicesActForThisAccount(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if s.effect != "Allow" || !strings.Contains(s.principals, `"Service"`) || madeByCDK.MatchString(s.owner.ID) || withoutAccount.MatchString(s.owner.ID) {
				continue
			}
			assert.Contains(t, text(s.condition), `"AWS::AccountId"`, "%s by %s", s, s.principals)
		}
	})
}

// onAnything are the actions that may be granted on "*", and why.
var onAnything = map[string]string{
	"cloudwatch:PutMetricData":         "has no resource; a condition names the namespace",
	"glue:GetSecurityConfiguration":    "has no resource",
	"redshift-data:CancelStatement":    "has no resource; a condition allows one's own statements",
	"redshift-data:DescribeStatement":  "has no resource; a condition allows one's own statements",
	"redshift-data:GetStatementResult": "has no resource; a condition allows one's own statements",
	"logs:CreateLogDelivery":           "has no resource: log delivery of Step Functions",
	"logs:DeleteLogDelivery":           "has no resource: log delivery of Step Functions",
	"logs:DescribeLogGroups":           "has no resource: log delivery of Step Functions",
	"logs:DescribeResourcePolicies":    "has no resource: log delivery of Step Functions",
	"logs:GetLogDelivery":              "has no resource: log delivery of Step Functions",
	"logs:ListLogDeliveries":           "has no resource: log delivery of Step Functions",
	"logs:PutResourcePolicy":           "has no resource: log delivery of Step Functions",
	"logs:UpdateLogDelivery":           "has no resource: log delivery of Step Functions",
	"xray:GetSamplingRules":            "has no resource",
	"xray:GetSamplingTargets":          "has no resource",
	"xray:PutTelemetryRecords":         "has no resource",
	"xray:PutTraceSegments":            "has no resource",
}

// conditioned are the actions on "*" that a condition must narrow.
var conditioned = []string{"cloudwatch:PutMetricData", "redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"}

func TestNoWildcardResource(t *testing.T) {
	used := map[string]bool{}
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if !s.ofIdentity || !slices.Contains(s.resources, "*") {
				continue
			}
			for _, action := range s.actions {
				used[action] = true
				assert.Contains(t, onAnything, action, "%s on any resource", s)
				if slices.Contains(conditioned, action) {
					assert.NotNil(t, s.condition, "%s: %s without a condition", s, action)
				}
			}
		}
	})
	for action := range onAnything {
		assert.True(t, used[action], "%s is granted nowhere: take it off the list", action)
	}
}

// ours are the resources that name what they are about: by a reference, or by the environment.
var ours = regexp.MustCompile(`"(Ref|Fn::GetAtt|Fn::ImportValue)":|movie[-_]pipeline[-_](dev|prod)`)

// pseudo are references that say where, not what.
var pseudo = regexp.MustCompile(`\{"Ref":"AWS::(Partition|Region|AccountId)"\}`)

// foreign are the resources outside of the environment that a role may use, and why.
var foreign = map[string]string{
	":catalog":                        "calls on tables are authorized against the account's catalog too",
	":dataQualityRuleset/*":           "the result of a job belongs to no ruleset that has a name",
	"aws-glue-ml-data-quality-assets": "AWS's own bucket, from which Data Quality loads itself",
	"cdk-hnb659fds-assets":            "the files that a deployment copies, of the version before too",
	":log-group:/aws-glue/":           "Glue names the log groups of crawlers and Data Quality runs",
}

func TestRolesNameTheirResources(t *testing.T) {
	used := map[string]bool{}
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if !s.ofIdentity || madeByCDK.MatchString(s.owner.ID) {
				continue
			}
			for _, named := range s.resources {
				if named == "*" || ours.MatchString(pseudo.ReplaceAllString(named, "")) {
					continue
				}
				known := false
				for part := range foreign {
					if strings.Contains(named, part) {
						known, used[part] = true, true
					}
				}
				assert.True(t, known, "%s: %s", s, named)
			}
		}
	})
	for part := range foreign {
		assert.True(t, used[part], "no role uses %s: take it off the list", part)
	}
}

func TestNoWildcardAction(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if !s.ofIdentity || madeByCDK.MatchString(s.owner.ID) {
				continue
			}
			for _, action := range s.actions {
				assert.NotContains(t, action, "*", "%s", s)
			}
		}
	})
}

// A role is passed to Glue alone: the gate's by the workflow, a job's by what registers the job.
func TestPassRole(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, s := range statements(t, form) {
			if slices.Contains(s.actions, "iam:PassRole") {
				assert.Equal(t, `{"StringEquals":{"iam:PassedToService":"glue.amazonaws.com"}}`, text(s.condition), "%s", s)
				for _, passed := range s.resources {
					assert.Regexp(t, map[string]string{"jobs": "JobRole", "workflow": "GateRole"}[s.owner.Stack], passed, "%s", s)
				}
			}
		}
	})
}

// A job writes its own part of the processed bucket's staging, and nothing that is published.
func TestJobsWriteStagingAlone(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, dataset := range datasetList(t) {
			role := strings.ToUpper(dataset.Name[:1]) + dataset.Name[1:] + "JobRole"
			granted := 0
			for _, s := range statements(t, form) {
				if !s.ofIdentity || !strings.HasPrefix(s.owner.ID, role) || !slices.ContainsFunc(s.actions, writesS3) {
					continue
				}
				for _, written := range s.resources {
					granted++
					assert.Regexp(t, `"/(staging|temp|spark-ui)/`+dataset.Name+`/\*"`, written, "%s", s)
				}
			}
			assert.Positive(t, granted, "%s of %s", role, form)
		}
	})
}

func writesS3(action string) bool { return action == "s3:PutObject" || action == "s3:DeleteObject" }
