package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsredshiftserverless"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	// databaseName is the database of the warehouse that holds the pipeline's schemas.
	databaseName = "movies"
	// adminUser is the administrator that the workflow works as: it creates schemas.
	adminUser = "pipeline"
)

// logExports are the logs of Redshift that go to CloudWatch Logs.
var logExports = []string{"connectionlog", "useractivitylog", "userlog"}

// WarehouseProps is what the warehouse depends on.
type WarehouseProps struct {
	Environment Environment
	Lake        Lake
}

// Warehouse is the stack of Redshift Serverless, in a network without a way to the internet.
type Warehouse struct {
	Stack awscdk.Stack
	// Workgroup is its name; WorkgroupArn identifies it in policies.
	Workgroup, WorkgroupArn *string
	Database                string
	// AdminSecret names the secret that Redshift keeps the administrator's password in, which the
	// Data API takes in place of its ARN; AdminSecretArn is the pattern of its ARN, for policies.
	AdminSecret    string
	AdminSecretArn *string
	// CopyRole reads staging for COPY and writes marts for UNLOAD.
	CopyRole awsiam.Role
}

// NewWarehouseStack adds the warehouse of an environment.
func NewWarehouseStack(scope constructs.Construct, id string, props *WarehouseProps) Warehouse {
	environment, lake := props.Environment, props.Lake
	stack := newStack(scope, id, environment, "Movie pipeline: Redshift Serverless in a private network")
	network := newNetwork(stack, lake, environment)

	copied := []string{"reports/marts/", "reports/quality/"}
	if environment.Warehouse.GlueConnection {
		copied = append(copied, "temp/") // where a Redshift target puts what it has Redshift copy
	}
	copyRole := newRole(stack, "CopyRole", "COPY from staging and of rule results, UNLOAD of marts",
		awsiam.NewCompositePrincipal(
			awsiam.NewServicePrincipal(jsii.String("redshift.amazonaws.com"), nil),
			awsiam.NewServicePrincipal(jsii.String("redshift-serverless.amazonaws.com"), nil)),
		listObjects(lake.Processed, lake.Artifacts),
		readObjects(lake.Processed, "staging/"),
		readObjects(lake.Artifacts, copied...),
		writeObjects(lake.Artifacts, "reports/marts/"),
		deleteObjects(lake.Artifacts, "reports/marts/"), // UNLOAD with CLEANPATH
		useKey(lake.Key),
	)
	for _, export := range logExports {
		// Redshift would create these groups without a key, and keep them for ever.
		newLogGroup(stack, "Log"+pascal(export), "/aws/redshift/"+environment.Prefix()+"/"+export, lake, environment)
	}
	namespace := newNamespace(stack, environment, lake, copyRole)
	workgroup := newWorkgroup(stack, environment, network)
	workgroup.AddResourceDependency(namespace, nil)
	if environment.Warehouse.GlueConnection {
		newConnection(stack, environment, network, workgroup)
	}

	output(stack, "Workgroup", workgroup.Ref(), "Redshift Serverless workgroup, for the query editor and the Data API")
	output(stack, "Database", jsii.String(databaseName), "Database of the workgroup; query the schemas analytics and marts")
	output(stack, "AnalystRoleArn", newAnalystRole(stack, workgroup).RoleArn(), "Role for people who ask the warehouse and change nothing in it")
	output(stack, "AdminSecretArn", jsii.String(adminSecret(environment)), "Secret with the administrator's password; the Data API takes its name as SecretArn")

	return Warehouse{
		Stack:     stack,
		Workgroup: workgroup.Ref(), WorkgroupArn: workgroup.AttrWorkgroupWorkgroupArn(),
		Database:       databaseName,
		AdminSecret:    adminSecret(environment),
		AdminSecretArn: adminSecretArn(stack, environment),
		CopyRole:       copyRole,
	}
}

// adminSecret is the name Redshift gives to the secret it manages. CloudFormation does not tell the
// ARN, which ends in six random letters: see
// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2021
func adminSecret(environment Environment) string {
	return "redshift!" + environment.Prefix() + "-" + adminUser
}

func adminSecretArn(stack awscdk.Stack, environment Environment) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String("secretsmanager"),
		Resource:     jsii.String("secret"),
		ResourceName: jsii.String(adminSecret(environment) + "-??????"),
		ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// newNamespace holds the data. With Retain, Redshift takes a last snapshot before it is deleted; a
// second deletion under the same name needs that snapshot out of the way.
func newNamespace(stack awscdk.Stack, environment Environment, lake Lake, copyRole awsiam.Role) awsredshiftserverless.CfnNamespace {
	props := &awsredshiftserverless.CfnNamespaceProps{
		NamespaceName:               jsii.String(environment.Prefix()),
		DbName:                      jsii.String(databaseName),
		AdminUsername:               jsii.String(adminUser),
		ManageAdminPassword:         jsii.Bool(true),
		AdminPasswordSecretKmsKeyId: lake.Key.KeyId(),
		KmsKeyId:                    lake.Key.KeyArn(),
		IamRoles:                    &[]any{copyRole.RoleArn()},
		DefaultIamRoleArn:           copyRole.RoleArn(),
		LogExports:                  jsii.Strings(logExports...),
	}
	if environment.Retain {
		props.FinalSnapshotName = jsii.String(environment.Resource("final"))
		props.FinalSnapshotRetentionPeriod = jsii.Number(environment.Retention.SnapshotDays)
	}
	return awsredshiftserverless.NewCfnNamespace(stack, jsii.String("RedshiftNamespace"), props)
}

func newWorkgroup(stack awscdk.Stack, environment Environment, network network) awsredshiftserverless.CfnWorkgroup {
	parameters := []any{
		awsredshiftserverless.CfnWorkgroup_ConfigParameterProperty{ParameterKey: jsii.String("require_ssl"), ParameterValue: jsii.String("true")},
		// Without it the log export "useractivitylog" stays empty.
		awsredshiftserverless.CfnWorkgroup_ConfigParameterProperty{ParameterKey: jsii.String("enable_user_activity_logging"), ParameterValue: jsii.String("true")},
	}
	return awsredshiftserverless.NewCfnWorkgroup(stack, jsii.String("RedshiftWorkgroup"), &awsredshiftserverless.CfnWorkgroupProps{
		WorkgroupName:      jsii.String(environment.Prefix()),
		NamespaceName:      jsii.String(environment.Prefix()),
		BaseCapacity:       jsii.Number(environment.Warehouse.BaseCapacity),
		MaxCapacity:        jsii.Number(environment.Warehouse.MaxCapacity),
		PubliclyAccessible: jsii.Bool(false),
		EnhancedVpcRouting: jsii.Bool(true),
		SubnetIds:          &network.subnets,
		SecurityGroupIds:   &[]any{network.securityGroup},
		ConfigParameters:   &parameters,
	})
}
