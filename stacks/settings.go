package stacks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the schedule's time zone is checked on machines without a zone database

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// EnvironmentOf reads the environment that the context key "environment" names, "dev" when there is
// none. An unknown setting, a value of the wrong type and settings that cannot go together are
// errors of one line.
func EnvironmentOf(app constructs.Construct) (Environment, error) {
	name := "dev"
	if given := app.Node().TryGetContext(jsii.String("environment")); given != nil {
		text, isText := given.(string)
		if !isText {
			return Environment{}, fmt.Errorf("environment: want a name, got %v", given)
		}
		name = text
	}
	all, isMap := app.Node().TryGetContext(jsii.String("environments")).(map[string]any)
	if !isMap {
		return Environment{}, errors.New(`cdk.json: the context has no map "environments"`)
	}
	settings, known := all[name]
	if !known {
		names := slices.Sorted(maps.Keys(all))
		return Environment{}, fmt.Errorf("environment %q is not in cdk.json, which has %s", name, strings.Join(names, ", "))
	}
	environment, err := newEnvironment(name, settings)
	if err != nil {
		return Environment{}, fmt.Errorf("environment %s: %w", name, err)
	}
	if environment.DiscardCanvasEdits, err = discardedEdits(app); err != nil {
		return Environment{}, err
	}
	return environment, nil
}

// discardContext is the context that names the jobs whose edits on the canvas may be overwritten.
const discardContext = "discardCanvasEdits"

func discardedEdits(app constructs.Construct) ([]string, error) {
	given := app.Node().TryGetContext(jsii.String(discardContext))
	if given == nil {
		return nil, nil
	}
	text, isText := given.(string)
	if !isText {
		return nil, fmt.Errorf("%s: want names of jobs, got %v", discardContext, given)
	}
	return strings.Split(text, ","), nil
}

func newEnvironment(name string, settings any) (Environment, error) {
	given, isMap := settings.(map[string]any)
	if !isMap {
		return Environment{}, fmt.Errorf("want a map of settings, got %v", settings)
	}
	environment := defaults()
	environment.Name = name
	if err := checkKeys(given, asMap(environment), ""); err != nil {
		return Environment{}, err
	}
	content, err := json.Marshal(given)
	if err != nil {
		return Environment{}, err
	}
	if err := json.Unmarshal(content, &environment); err != nil {
		return Environment{}, describeTypeError(err)
	}
	return environment, environment.validate()
}

func asMap(environment Environment) map[string]any {
	content, _ := json.Marshal(environment) // plain data: it cannot fail
	var known map[string]any
	_ = json.NewDecoder(bytes.NewReader(content)).Decode(&known)
	return known
}

// checkKeys finds unknown keys, also those that encoding/json takes for known in other letter case.
func checkKeys(given, known map[string]any, path string) error {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		expected, exists := known[key]
		if !exists {
			return fmt.Errorf("unknown setting %q; there are %s", path+key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		inner, isMap := given[key].(map[string]any)
		if group, isGroup := expected.(map[string]any); isMap && isGroup {
			if err := checkKeys(inner, group, path+key+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

func describeTypeError(err error) error {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return err
	}
	kinds := map[string]string{"bool": "true or false", "int": "a whole number", "float64": "a number", "string": "a text"}
	want, plain := kinds[mismatch.Type.Kind().String()]
	if !plain {
		want = "a map of settings"
	}
	return fmt.Errorf("setting %q: want %s, got %s", mismatch.Field, want, mismatch.Value)
}

var (
	validName        = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)
	validGlueVersion = regexp.MustCompile(`^5\.[0-9]+$`)
	validSchedule    = regexp.MustCompile(`^cron\(\S+ \S+ [*?] \S+ [*?] \*\)$`)

	// The worker types of Glue 5 jobs for Spark:
	// https://docs.aws.amazon.com/glue/latest/dg/add-job.html
	workerTypes = []string{"G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X"}
	// The retentions that CloudWatch Logs knows, in days:
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	logRetentions = map[int]awslogs.RetentionDays{
		1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
		7: awslogs.RetentionDays_ONE_WEEK, 14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH,
		60: awslogs.RetentionDays_TWO_MONTHS, 90: awslogs.RetentionDays_THREE_MONTHS, 180: awslogs.RetentionDays_SIX_MONTHS,
		365: awslogs.RetentionDays_ONE_YEAR, 731: awslogs.RetentionDays_TWO_YEARS, 1827: awslogs.RetentionDays_FIVE_YEARS,
		3653: awslogs.RetentionDays_TEN_YEARS,
	}
)

// validate names the first setting that AWS would refuse, or that contradicts another.
func (e Environment) validate() error {
	checks := []struct {
		holds   bool
		message string
	}{
		{validName.MatchString(e.Name), "its name goes into resource names: want at most 16 lower case letters and digits, a letter first"},
		{e.Name != "prod" || e.Retain, `"retain" must be true in prod: deleting a stack would delete the data`},
		{e.AlertEmail == "" || isAddress(e.AlertEmail), fmt.Sprintf("alertEmail: %q is no e-mail address", e.AlertEmail)},
		{validSchedule.MatchString(e.Schedule.Expression), fmt.Sprintf("schedule.expression: %q does not fire every day; want cron(MINUTES HOURS * * ? *)", e.Schedule.Expression)},
		{isTimezone(e.Schedule.Timezone), fmt.Sprintf("schedule.timezone: %q is no IANA time zone", e.Schedule.Timezone)},
		{within(e.Schedule.LateDays, 0, 30), "schedule.lateDays: want 0 to 30"},
		{validGlueVersion.MatchString(e.Job.GlueVersion), fmt.Sprintf("job.glueVersion: %q is not 5.x, for which the scripts are written", e.Job.GlueVersion)},
		{slices.Contains(workerTypes, e.Job.WorkerType), fmt.Sprintf("job.workerType: %q is not one of %s", e.Job.WorkerType, strings.Join(workerTypes, ", "))},
		{within(e.Job.Workers, 2, 299), "job.workers: want 2 to 299"},
		{within(e.Job.TimeoutMinutes, 5, 1440), "job.timeoutMinutes: want 5 to 1440"},
		{within(e.Job.Attempts, 1, 5), "job.attempts: want 1 to 5"},
		{within(e.Gate.Workers, 2, 299), "gate.workers: want 2 to 299"},
		{within(e.Gate.TimeoutMinutes, 5, 1440), "gate.timeoutMinutes: want 5 to 1440"},
		{isCapacity(e.Warehouse.BaseCapacity), "warehouse.baseCapacity: want 4, or 8 to 512 RPU in steps of 8"},
		{isCapacity(e.Warehouse.MaxCapacity), "warehouse.maxCapacity: want 4, or 8 to 512 RPU in steps of 8"},
		{e.Warehouse.BaseCapacity <= e.Warehouse.MaxCapacity, "warehouse.baseCapacity is above warehouse.maxCapacity"},
		{logRetentions[e.Retention.LogDays] != "", fmt.Sprintf("retention.logDays: want one of %v", slices.Sorted(maps.Keys(logRetentions)))},
		{within(e.Retention.NoncurrentDays, 1, 3650), "retention.noncurrentDays: want 1 to 3650"},
		{within(e.Retention.TemporaryDays, 2, 365), "retention.temporaryDays: want 2 to 365, so that no run loses a file it works on"},
		{within(e.Retention.SnapshotDays, 1, 3653), "retention.snapshotDays: want 1 to 3653"},
		{e.QuarantineAlarmPercent > 0 && e.QuarantineAlarmPercent < 100 && !math.IsNaN(e.QuarantineAlarmPercent), "quarantineAlarmPercent: want more than 0 and less than 100"},
	}
	for _, check := range checks {
		if !check.holds {
			return errors.New(check.message)
		}
	}
	return nil
}

func within(value, low, high int) bool { return low <= value && value <= high }

// isCapacity follows https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-capacity.html
func isCapacity(rpu int) bool { return rpu == 4 || within(rpu, 8, 512) && rpu%8 == 0 }

func isTimezone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

func isAddress(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}
