package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MonitoringProps is what the monitoring depends on.
type MonitoringProps struct {
	Environment Environment
	Sources     Sources
	Lake        Lake
	Workflow    Workflow
}

// Monitoring is the stack of alarms and the dashboard.
type Monitoring struct {
	Stack awscdk.Stack
}

// NewMonitoringStack adds the monitoring of an environment.
func NewMonitoringStack(scope constructs.Construct, id string, props *MonitoringProps) Monitoring {
	environment, workflow := props.Environment, props.Workflow
	stack := newStack(scope, id, environment, "Movie pipeline: alarms and dashboard")
	if environment.AlertEmail != "" {
		awssns.NewCfnSubscription(stack, jsii.String("AlertEmail"), &awssns.CfnSubscriptionProps{
			TopicArn: workflow.Alerts.TopicArn(),
			Protocol: jsii.String("email"),
			Endpoint: jsii.String(environment.AlertEmail),
		})
	}

	machine := workflow.Machine
	alarms := alarmMaker{stack, environment, workflow.Alerts.TopicArn()}
	alarms.add("RunFailed", above(machine.MetricFailed(nil), 0),
		"A run failed. The message on the topic and reports/runs/ in the artifacts bucket say at which step and dataset, and why.")
	alarms.add("RunTimedOut", above(machine.MetricTimedOut(nil), 0),
		"A run took longer than the workflow's timeout. Look for the step that was entered last; start the same date again.")
	alarms.add("RunAborted", above(machine.MetricAborted(nil), 0),
		"Somebody stopped a run. Start the same date again: nothing half done remains visible.")
	if environment.Schedule.Enabled {
		alarms.add("ScheduleDidNotFire", silent(machine.MetricStarted(hourly())),
			"No run has started for 26 hours. Look at the schedule, its role and its dead-letter queue.")
	}
	alarms.add("GateFailed", above(pipelineMetric(environment, "GatesFailed", "", "Sum"), 0),
		"A batch broke a rule of its gate and was not loaded. The run's summary names the rules; ask the producer for a correction.")
	alarms.add("QuarantineShare", above(pipelineMetric(environment, "QuarantineShare", "", "Maximum"), environment.QuarantineAlarmPercent),
		fmt.Sprintf("More than %g %% of a batch's rows went to quarantine. The rules they broke are in quarantine/ in the processed bucket.", environment.QuarantineAlarmPercent))
	alarms.add("ScheduleDeadLetters", above(waiting(workflow.Missed), 0),
		"The schedule could not start a run. The message in its dead-letter queue holds the reason; start the date by hand.")
	for _, lost := range props.Lake.LostEvents {
		alarms.add(*lost.Node().Id(), above(waiting(lost), 0),
			"A crawler could not read an event of S3. Run the crawler again once the message's object is readable.")
	}

	newDashboard(stack, props)
	output(stack, "DashboardUrl", dashboardURL(environment), "Runs, rows, jobs and warehouse at a glance")
	return Monitoring{Stack: stack}
}

// condition is a metric and when it is alarming.
type condition struct {
	metric     awscloudwatch.Metric
	comparison awscloudwatch.ComparisonOperator
	threshold  float64
	periods    int
	missing    awscloudwatch.TreatMissingData
}

// above is alarming as soon as the metric exceeds the threshold.
func above(metric awscloudwatch.Metric, threshold float64) condition {
	return condition{metric, awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD, threshold, 1, awscloudwatch.TreatMissingData_NOT_BREACHING}
}

// silent is alarming when an hourly sum has been nothing for 26 hours: a day, an hour that the end of
// summer time adds, and an hour to start in.
func silent(metric awscloudwatch.Metric) condition {
	return condition{metric, awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD, 1, 26, awscloudwatch.TreatMissingData_BREACHING}
}

func hourly() *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Period: awscdk.Duration_Hours(jsii.Number(1)), Statistic: jsii.String("Sum")}
}

// alarmMaker adds alarms that tell the topic when something is wrong, and when it is well again.
type alarmMaker struct {
	stack       awscdk.Stack
	environment Environment
	topic       *string
}

// add makes the alarm; the description is what somebody reads who was just told of it.
func (m alarmMaker) add(id string, when condition, description string) {
	alarm := awscloudwatch.NewAlarm(m.stack, jsii.String(id), &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(m.environment.Resource(id)),
		AlarmDescription:   jsii.String(description),
		Metric:             when.metric,
		ComparisonOperator: when.comparison,
		Threshold:          jsii.Number(when.threshold),
		EvaluationPeriods:  jsii.Number(when.periods),
		TreatMissingData:   when.missing,
	})
	// The construct's own way needs the package of alarm actions, a third of the build's time.
	resource := alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm)
	resource.SetAlarmActions(&[]*string{m.topic})
	resource.SetOkActions(&[]*string{m.topic})
}

// waiting is how many messages are in a queue.
func waiting(queue awssqs.Queue) awscloudwatch.Metric {
	return queue.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Statistic: jsii.String("Maximum")})
}

// pipelineMetric is a metric that the workflow publishes, of a dataset or, without one, of the run.
func pipelineMetric(environment Environment, name, dataset, statistic string) awscloudwatch.Metric {
	props := &awscloudwatch.MetricProps{
		Namespace:  jsii.String(environment.Prefix()),
		MetricName: jsii.String(name),
		Statistic:  jsii.String(statistic),
	}
	if dataset != "" {
		props.DimensionsMap = &map[string]*string{"Dataset": jsii.String(dataset)}
		props.Label = jsii.String(dataset)
	}
	return awscloudwatch.NewMetric(props)
}
