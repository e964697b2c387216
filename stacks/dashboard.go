package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// newDashboard shows on one page whether the pipeline runs, on how much, and how well.
func newDashboard(stack awscdk.Stack, props *MonitoringProps) {
	environment, machine := props.Environment, props.Workflow.Machine
	dashboard := awscloudwatch.NewDashboard(stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(environment.Prefix()),
		DefaultInterval: days(14),
	})
	dashboard.AddWidgets(
		graph("Runs", machine.MetricStarted(hourly()), machine.MetricSucceeded(hourly()), machine.MetricFailed(hourly()), machine.MetricTimedOut(hourly())),
		graph("Time of a run", machine.MetricTime(nil)),
	)
	dashboard.AddWidgets(
		graph("Rows processed", ofEachDataset(props, func(dataset string) awscloudwatch.Metric {
			return pipelineMetric(environment, "RowsProcessed", dataset, "Sum")
		})...),
		graph("Rows in quarantine, %", ofEachDataset(props, func(dataset string) awscloudwatch.Metric {
			return pipelineMetric(environment, "QuarantineShare", dataset, "Maximum")
		})...),
		graph("Gates failed", pipelineMetric(environment, "GatesFailed", "", "Sum")),
	)
	dashboard.AddWidgets(
		graph("Rules that pass of each gate, %", ofEachDataset(props, func(dataset string) awscloudwatch.Metric {
			return scoreMetric(environment, dataset, "gate")
		})...),
		graph("Row rules that no row breaks, %", ofEachDataset(props, func(dataset string) awscloudwatch.Metric {
			return scoreMetric(environment, dataset, "rows")
		})...),
	)
	dashboard.AddWidgets(
		graph("Glue jobs: executors' share in use", ofEachDataset(props, func(dataset string) awscloudwatch.Metric {
			return jobMetric(environment, dataset)
		})...),
		graph("Warehouse, RPU in use", warehouseMetric(environment, "ComputeCapacity", "Maximum")),
		graph("Warehouse, data in MB", warehouseMetric(environment, "DataStorage", "Maximum")),
	)
}

func ofEachDataset(props *MonitoringProps, metric func(dataset string) awscloudwatch.Metric) []awscloudwatch.IMetric {
	var metrics []awscloudwatch.IMetric
	for _, dataset := range props.Sources.Datasets {
		metrics = append(metrics, metric(dataset.Name))
	}
	return metrics
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title),
		Left:  &metrics,
		Width: jsii.Number(8),
	})
}

// scoreMetric is the score of a dataset's ruleset, gate or rows, which the workflow publishes with each
// run: the trend of its data quality.
func scoreMetric(environment Environment, dataset, ruleset string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String(environment.Prefix()),
		MetricName:    jsii.String("QualityScore"),
		Statistic:     jsii.String("Minimum"),
		Period:        days(1),
		Label:         jsii.String(dataset),
		DimensionsMap: &map[string]*string{"Dataset": jsii.String(dataset), "Ruleset": jsii.String(ruleset)},
	})
}

// jobMetric is an observability metric of Glue: see
// https://docs.aws.amazon.com/glue/latest/dg/monitor-observability.html
func jobMetric(environment Environment, dataset string) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:  jsii.String("Glue"),
		MetricName: jsii.String("glue.driver.workerUtilization"),
		Statistic:  jsii.String("Average"),
		Label:      jsii.String(dataset),
		DimensionsMap: &map[string]*string{
			"JobName":            jsii.String(environment.Resource(dataset)),
			"JobRunId":           jsii.String("ALL"),
			"Type":               jsii.String("gauge"),
			"ObservabilityGroup": jsii.String("resource_utilization"),
		},
	})
}

// warehouseMetric is a metric of Redshift Serverless: see
// https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-monitoring.html
func warehouseMetric(environment Environment, name, statistic string) awscloudwatch.Metric {
	dimension := map[string]string{"ComputeCapacity": "Workgroup", "DataStorage": "Namespace"}[name]
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace:     jsii.String("AWS/Redshift-Serverless"),
		MetricName:    jsii.String(name),
		Statistic:     jsii.String(statistic),
		DimensionsMap: &map[string]*string{dimension: jsii.String(environment.Prefix())},
	})
}

func dashboardURL(environment Environment) *string {
	region := *awscdk.Aws_REGION()
	return jsii.String("https://" + region + ".console.aws.amazon.com/cloudwatch/home?region=" + region + "#dashboards:name=" + environment.Prefix())
}
