package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsredshiftserverless"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/visual"
)

// connectionName is that of the Glue connection to the warehouse.
func connectionName(environment Environment) string { return environment.Resource("warehouse") }

// endpointServices are the services that a job in the warehouse's network calls: the catalog, the
// secret, keys and roles, logs and metrics. Each costs by the hour. S3 has its gateway endpoint. See
// https://docs.aws.amazon.com/glue/latest/dg/connection-JDBC-VPC.html
var endpointServices = []string{"glue", "kms", "logs", "monitoring", "secretsmanager", "sts"}

// newConnection is how jobs reach the warehouse from its own network, for Redshift targets on the
// canvas. It is in one subnet, and so are the endpoints that it needs: they are paid by zone.
func newConnection(stack awscdk.Stack, environment Environment, network network, workgroup awsredshiftserverless.CfnWorkgroup) {
	group := newConnectionGroup(stack, network)
	for _, service := range endpointServices {
		awsec2.NewCfnVPCEndpoint(stack, jsii.String("Endpoint"+pascal(service)), &awsec2.CfnVPCEndpointProps{
			VpcId:             network.vpc,
			VpcEndpointType:   jsii.String("Interface"),
			ServiceName:       jsii.String("com.amazonaws." + *awscdk.Aws_REGION() + "." + service),
			PrivateDnsEnabled: jsii.Bool(true),
			SubnetIds:         &[]any{network.subnets[0]},
			SecurityGroupIds:  &[]any{group},
		})
	}
	url := "jdbc:redshift://" + *workgroup.AttrWorkgroupEndpointAddress() + ":5439/" + databaseName
	connection := awsglue.NewCfnConnection(stack, jsii.String("WarehouseConnection"), &awsglue.CfnConnectionProps{
		CatalogId: awscdk.Aws_ACCOUNT_ID(),
		ConnectionInput: &awsglue.CfnConnection_ConnectionInputProperty{
			Name:           jsii.String(connectionName(environment)),
			Description:    jsii.String("The warehouse, for Redshift targets of visual jobs"),
			ConnectionType: jsii.String("JDBC"),
			ConnectionProperties: map[string]any{
				"JDBC_CONNECTION_URL": url,
				"JDBC_ENFORCE_SSL":    "true",
				"SECRET_ID":           adminSecret(environment),
			},
			PhysicalConnectionRequirements: &awsglue.CfnConnection_PhysicalConnectionRequirementsProperty{
				AvailabilityZone:    awscdk.Fn_Select(jsii.Number(0), awscdk.Fn_GetAzs(nil)),
				SubnetId:            network.subnets[0].(*string),
				SecurityGroupIdList: &[]*string{group},
			},
		},
	})
	output(stack, "Connection", connection.Ref(), "Glue connection to the warehouse: ${"+visual.Connection+"} in a DAG")
}

// newConnectionGroup lets jobs and endpoints reach each other, as Glue asks for, and the warehouse let
// the jobs in: https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html
func newConnectionGroup(stack awscdk.Stack, network network) *string {
	group := awsec2.NewCfnSecurityGroup(stack, jsii.String("ConnectionGroup"), &awsec2.CfnSecurityGroupProps{
		VpcId:            network.vpc,
		GroupDescription: jsii.String("Glue jobs that load the warehouse: in and out among themselves, HTTPS out"),
		SecurityGroupEgress: &[]any{awsec2.CfnSecurityGroup_EgressProperty{
			IpProtocol: jsii.String("tcp"), FromPort: jsii.Number(443), ToPort: jsii.Number(443),
			CidrIp: jsii.String("0.0.0.0/0"), Description: jsii.String("S3, by the gateway endpoint"),
		}},
	}).AttrGroupId()
	tcp := jsii.String("tcp")
	awsec2.NewCfnSecurityGroupIngress(stack, jsii.String("ConnectionFromItself"), &awsec2.CfnSecurityGroupIngressProps{
		GroupId: group, SourceSecurityGroupId: group, IpProtocol: tcp, FromPort: jsii.Number(0), ToPort: jsii.Number(65535),
		Description: jsii.String("Workers of a job, and the endpoints"),
	})
	awsec2.NewCfnSecurityGroupEgress(stack, jsii.String("ConnectionToItself"), &awsec2.CfnSecurityGroupEgressProps{
		GroupId: group, DestinationSecurityGroupId: group, IpProtocol: tcp, FromPort: jsii.Number(0), ToPort: jsii.Number(65535),
		Description: jsii.String("Workers of a job, and the endpoints"),
	})
	awsec2.NewCfnSecurityGroupEgress(stack, jsii.String("ConnectionToWarehouse"), &awsec2.CfnSecurityGroupEgressProps{
		GroupId: group, DestinationSecurityGroupId: network.securityGroup, IpProtocol: tcp, FromPort: jsii.Number(5439), ToPort: jsii.Number(5439),
		Description: jsii.String("Redshift"),
	})
	awsec2.NewCfnSecurityGroupIngress(stack, jsii.String("WarehouseFromConnection"), &awsec2.CfnSecurityGroupIngressProps{
		GroupId: network.securityGroup, SourceSecurityGroupId: group, IpProtocol: tcp, FromPort: jsii.Number(5439), ToPort: jsii.Number(5439),
		Description: jsii.String("Glue jobs that load the warehouse"),
	})
	return group
}

// useConnection lets a job load the warehouse: find it, log in, and be in its network. The last is what
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSGlueServiceRole.html grants.
func useConnection(stack awscdk.Stack, environment Environment) []awsiam.PolicyStatement {
	ec2 := func(kind string) *string {
		return stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("ec2"), Resource: jsii.String(kind), ResourceName: jsii.String("*")})
	}
	tagged := map[string]any{"ForAllValues:StringEquals": map[string]any{"aws:TagKeys": []string{"aws-glue-service-resource"}}}
	catalog := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("glue"), Resource: jsii.String("catalog")})
	return []awsiam.PolicyStatement{
		allow([]string{"glue:GetConnection"}, catalog, glueArn(stack, "connection", connectionName(environment))),
		allow([]string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, adminSecretArn(stack, environment)),
		allow([]string{
			"ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
			"ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints",
		}, jsii.String("*")),
		allow([]string{"ec2:CreateNetworkInterface"}, ec2("network-interface"), ec2("subnet"), ec2("security-group")),
		allow([]string{"ec2:DeleteNetworkInterface"}, ec2("network-interface")),
		allowIf(tagged, []string{"ec2:CreateTags", "ec2:DeleteTags"}, ec2("network-interface")),
	}
}
