package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"
)

// newSchedule starts the state machine every day, and tells it the time that was meant: a start that
// comes late is still the run of its day. It returns the queue of the starts that failed.
func newSchedule(stack awscdk.Stack, environment Environment, lake Lake, machine awsstepfunctions.StateMachine) awssqs.Queue {
	missed := awssqs.NewQueue(stack, jsii.String("Missed"), &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: lake.Key,
		EnforceSSL:          jsii.Bool(true),
		RetentionPeriod:     days(14),
	})
	role := newRole(stack, "ScheduleRole", "Schedule of the pipeline", serviceOfThisAccount("scheduler.amazonaws.com"),
		allow([]string{"states:StartExecution"}, machine.StateMachineArn()),
		allow([]string{"sqs:SendMessage"}, missed.QueueArn()),
		useKey(lake.Key),
	)
	awsscheduler.NewCfnSchedule(stack, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Name:                       jsii.String(environment.Prefix()),
		Description:                jsii.String("Runs the pipeline every day"),
		State:                      jsii.String(map[bool]string{true: "ENABLED", false: "DISABLED"}[environment.Schedule.Enabled]),
		ScheduleExpression:         jsii.String(environment.Schedule.Expression),
		ScheduleExpressionTimezone: jsii.String(environment.Schedule.Timezone),
		FlexibleTimeWindow:         awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		KmsKeyArn:                  lake.Key.KeyArn(),
		Target: awsscheduler.CfnSchedule_TargetProperty{
			Arn:              machine.StateMachineArn(),
			RoleArn:          role.RoleArn(),
			Input:            stack.ToJsonString(map[string]any{"scheduled_time": "<aws.scheduler.scheduled-time>"}, nil),
			DeadLetterConfig: awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: missed.QueueArn()},
			RetryPolicy: awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(3600),
				MaximumRetryAttempts:     jsii.Number(10),
			},
		},
	})
	return missed
}
