package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsredshiftserverless"
	"github.com/aws/jsii-runtime-go"
)

// analystRole is the role of the database in which analysts read: sql/access.sql.
const analystRole = "analyst"

// newAnalystRole is the role that people of this account assume to ask the warehouse, by the query editor or the Data
// API, if their own permissions allow sts:AssumeRole on it. Its tag puts whoever signs in with it into the role of the
// database: https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-federated-db-roles.html
func newAnalystRole(stack awscdk.Stack, workgroup awsredshiftserverless.CfnWorkgroup) awsiam.Role {
	arn := workgroup.AttrWorkgroupWorkgroupArn()
	role := newRole(stack, "AnalystRole", "Read the warehouse as the database role "+analystRole,
		awsiam.NewAccountRootPrincipal(),
		allow([]string{
			"redshift-data:BatchExecuteStatement", "redshift-data:DescribeTable", "redshift-data:ExecuteStatement",
			"redshift-data:ListDatabases", "redshift-data:ListSchemas", "redshift-data:ListTables",
			"redshift-serverless:GetCredentials", "redshift-serverless:GetWorkgroup",
		}, arn),
		// These take the id of a statement; a caller sees its own alone.
		allowIf(map[string]any{"StringEquals": map[string]any{"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
			[]string{"redshift-data:CancelStatement", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult"},
			jsii.String("*")),
	)
	awscdk.Tags_Of(role).Add(jsii.String("RedshiftDbRoles"), jsii.String(analystRole), nil)
	return role
}
