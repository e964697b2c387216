package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// network is what the warehouse runs in.
type network struct {
	vpc           *string
	subnets       []any
	securityGroup *string
}

// newNetwork is a VPC of three private subnets in three zones, which enhanced routing asks for, with
// the gateway endpoint to S3 as the only way out. The zones come from Fn::GetAZs, at deployment:
// an app without a fixed region knows of two only, and a region with two cannot take this stack. The
// Data API needs no endpoint here.
func newNetwork(stack awscdk.Stack, lake Lake, environment Environment) network {
	vpc := awsec2.NewCfnVPC(stack, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock:          jsii.String("10.0.0.0/22"),
		EnableDnsHostnames: jsii.Bool(true),
		EnableDnsSupport:   jsii.Bool(true),
		Tags:               nameTag(environment),
	})
	routes := awsec2.NewCfnRouteTable(stack, jsii.String("Routes"), &awsec2.CfnRouteTableProps{VpcId: vpc.Ref(), Tags: nameTag(environment)})
	zones := awscdk.Fn_GetAzs(nil)
	subnets := make([]any, 0, 3)
	for i := range 3 {
		subnet := awsec2.NewCfnSubnet(stack, jsii.String(fmt.Sprintf("Subnet%d", i+1)), &awsec2.CfnSubnetProps{
			VpcId:               vpc.Ref(),
			AvailabilityZone:    awscdk.Fn_Select(jsii.Number(i), zones),
			CidrBlock:           jsii.String(fmt.Sprintf("10.0.%d.0/24", i)),
			MapPublicIpOnLaunch: jsii.Bool(false),
			Tags:                nameTag(environment),
		})
		awsec2.NewCfnSubnetRouteTableAssociation(stack, jsii.String(fmt.Sprintf("Subnet%dRoutes", i+1)), &awsec2.CfnSubnetRouteTableAssociationProps{
			SubnetId:     subnet.Ref(),
			RouteTableId: routes.Ref(),
		})
		subnets = append(subnets, subnet.Ref())
	}
	newS3Endpoint(stack, vpc, routes)
	newFlowLog(stack, vpc, lake, environment)
	return network{vpc: vpc.Ref(), subnets: subnets, securityGroup: newSecurityGroup(stack, vpc)}
}

func newS3Endpoint(stack awscdk.Stack, vpc awsec2.CfnVPC, routes awsec2.CfnRouteTable) {
	awsec2.NewCfnVPCEndpoint(stack, jsii.String("S3Endpoint"), &awsec2.CfnVPCEndpointProps{
		VpcId:           vpc.Ref(),
		VpcEndpointType: jsii.String("Gateway"),
		ServiceName:     jsii.String("com.amazonaws." + *awscdk.Aws_REGION() + ".s3"),
		RouteTableIds:   &[]any{routes.Ref()},
	})
}

// newSecurityGroup lets nothing in, and out only HTTPS, which the route table leads to S3 alone.
func newSecurityGroup(stack awscdk.Stack, vpc awsec2.CfnVPC) *string {
	group := awsec2.NewCfnSecurityGroup(stack, jsii.String("SecurityGroup"), &awsec2.CfnSecurityGroupProps{
		VpcId:            vpc.Ref(),
		GroupDescription: jsii.String("Redshift: nothing in, HTTPS out"),
		SecurityGroupEgress: &[]any{awsec2.CfnSecurityGroup_EgressProperty{
			IpProtocol: jsii.String("tcp"), FromPort: jsii.Number(443), ToPort: jsii.Number(443),
			CidrIp: jsii.String("0.0.0.0/0"), Description: jsii.String("S3, by the gateway endpoint"),
		}},
	})
	return group.AttrGroupId()
}

func newFlowLog(stack awscdk.Stack, vpc awsec2.CfnVPC, lake Lake, environment Environment) {
	group := newLogGroup(stack, "FlowLogs", "/"+environment.Prefix()+"/vpc", lake, environment)
	role := newRole(stack, "FlowLogRole", "Flow logs of the warehouse's network", serviceOfThisAccount("vpc-flow-logs.amazonaws.com"),
		allow([]string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}, group.LogGroupArn()))
	awsec2.NewCfnFlowLog(stack, jsii.String("FlowLog"), &awsec2.CfnFlowLogProps{
		ResourceId:               vpc.Ref(),
		ResourceType:             jsii.String("VPC"),
		TrafficType:              jsii.String("ALL"),
		LogDestinationType:       jsii.String("cloud-watch-logs"),
		LogGroupName:             group.LogGroupName(),
		DeliverLogsPermissionArn: role.RoleArn(),
	})
}

// newLogGroup is an encrypted log group of the given name.
func newLogGroup(stack awscdk.Stack, id, name string, lake Lake, environment Environment) awslogs.LogGroup {
	return awslogs.NewLogGroup(stack, jsii.String(id), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String(name),
		EncryptionKey: lake.Key,
		Retention:     logRetentions[environment.Retention.LogDays],
		RemovalPolicy: environment.removal(),
	})
}

func nameTag(environment Environment) *[]*awscdk.CfnTag {
	return &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(environment.Prefix())}}
}
