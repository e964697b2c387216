package test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func alarmNames(t *testing.T, form string) []string {
	t.Helper()
	var names []string
	for _, alarm := range some(t, form, "AWS::CloudWatch::Alarm") {
		names = append(names, strings.TrimPrefix(alarm.Properties["AlarmName"].(string), "movie-pipeline-"+form+"-"))
	}
	slices.Sort(names)
	return names
}

func TestAlarms(t *testing.T) {
	always := []string{"GateFailed", "ProcessedCrawlerLostEvents", "QuarantineShare", "RawCrawlerLostEvents", "RunAborted", "RunFailed", "RunTimedOut", "ScheduleDeadLetters"}
	assert.Equal(t, always, alarmNames(t, "dev"), "without a schedule none can fail to fire")
	assert.Equal(t, append(always, "ScheduleDidNotFire"), alarmNames(t, "prod"))
	inBothForms(t, func(t *testing.T, form string) {
		for _, alarm := range some(t, form, "AWS::CloudWatch::Alarm") {
			assert.Contains(t, text(alarm.Properties["AlarmActions"]), "Alerts", "%s tells nobody", alarm)
			assert.NotEmpty(t, alarm.Properties["AlarmDescription"], "%s", alarm)
		}
	})
}

// No data is the very sign of a schedule that did not fire.
func TestSilenceIsAlarming(t *testing.T) {
	for _, alarm := range some(t, "prod", "AWS::CloudWatch::Alarm") {
		if strings.HasSuffix(alarm.Properties["AlarmName"].(string), "ScheduleDidNotFire") {
			assert.Equal(t, "breaching", alarm.Properties["TreatMissingData"])
			assert.Equal(t, "ExecutionsStarted", alarm.Properties["MetricName"])
			seconds := alarm.Properties["Period"].(float64) * alarm.Properties["EvaluationPeriods"].(float64)
			assert.Greater(t, seconds, 25*3600.0, "the day on which summer time ends has 25 hours")
		} else {
			assert.Equal(t, "notBreaching", alarm.Properties["TreatMissingData"], "%s", alarm)
		}
	}
}

// The topic has a policy of its own, which alarms must be in.
func TestAlarmsMayPublish(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, policy := range some(t, form, "AWS::SNS::TopicPolicy") {
			assert.Contains(t, text(policy.Properties["PolicyDocument"]), `"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"}`)
		}
		for _, key := range some(t, form, "AWS::KMS::Key") {
			assert.Contains(t, text(key.Properties["KeyPolicy"]), `"Principal":{"Service":"cloudwatch.amazonaws.com"}`)
		}
	})
}

func TestAlertEmail(t *testing.T) {
	assert.Empty(t, resources(t, "dev", "AWS::SNS::Subscription"))
	subscriptions := some(t, "prod", "AWS::SNS::Subscription")
	assert.Equal(t, "pipeline@example.com", subscriptions[0].Properties["Endpoint"])
}

func TestSchedule(t *testing.T) {
	for form, state := range map[string]string{"dev": "DISABLED", "prod": "ENABLED"} {
		for _, schedule := range some(t, form, "AWS::Scheduler::Schedule") {
			assert.Equal(t, state, schedule.Properties["State"])
			assert.JSONEq(t, `{"scheduled_time": "<aws.scheduler.scheduled-time>"}`, at(schedule.Properties, "Target", "Input").(string))
			assert.NotNil(t, at(schedule.Properties, "Target", "DeadLetterConfig", "Arn"))
		}
	}
}

// The dashboard has a line for each dataset, and its link names it.
func TestDashboard(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		body := text(some(t, form, "AWS::CloudWatch::Dashboard")[0].Properties["DashboardBody"])
		for _, dataset := range datasetList(t) {
			assert.Contains(t, body, `\"Dataset\",\"`+dataset.Name+`\"`)
		}
	})
}
