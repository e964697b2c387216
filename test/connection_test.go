package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/visual"
	"moviepipeline/stacks"
)

// By default nothing is paid by the hour.
func TestNoConnectionByDefault(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		assert.Empty(t, resources(t, form, "AWS::Glue::Connection"))
		assert.NotContains(t, text(some(t, form, "AWS::Glue::Job")), visual.Connection)
	})
}

func TestConnection(t *testing.T) {
	connection := some(t, "other", "AWS::Glue::Connection")[0]
	input := at(connection.Properties, "ConnectionInput")
	assert.Equal(t, "movie-pipeline-other-warehouse", at(input, "Name"))
	assert.Equal(t, "JDBC", at(input, "ConnectionType"))
	assert.Contains(t, text(at(input, "ConnectionProperties", "JDBC_CONNECTION_URL")), "jdbc:redshift://")
	assert.Contains(t, text(at(input, "ConnectionProperties", "JDBC_CONNECTION_URL")), "Workgroup.Endpoint.Address")
	assert.Equal(t, "true", at(input, "ConnectionProperties", "JDBC_ENFORCE_SSL"))
	assert.Equal(t, "redshift!movie-pipeline-other-pipeline", at(input, "ConnectionProperties", "SECRET_ID"))

	zone := text(at(input, "PhysicalConnectionRequirements", "AvailabilityZone"))
	subnet := at(input, "PhysicalConnectionRequirements", "SubnetId", "Ref")
	for _, found := range some(t, "other", "AWS::EC2::Subnet") {
		if found.ID == subnet {
			assert.Equal(t, zone, text(found.Properties["AvailabilityZone"]), "the subnet is in another zone")
		}
	}
	endpoints := 0
	for _, endpoint := range some(t, "other", "AWS::EC2::VPCEndpoint") {
		if endpoint.Properties["VpcEndpointType"] == "Interface" {
			endpoints++
			assert.Equal(t, []any{map[string]any{"Ref": subnet}}, endpoint.Properties["SubnetIds"], "%s: each zone costs", endpoint)
			assert.Equal(t, true, endpoint.Properties["PrivateDnsEnabled"], "%s", endpoint)
		}
	}
	assert.Equal(t, 6, endpoints)
}

// The warehouse lets in the connection's group alone, on its port; nothing comes in from an address.
func TestOnlyTheConnectionReachesTheWarehouse(t *testing.T) {
	for _, rule := range some(t, "other", "AWS::EC2::SecurityGroupIngress") {
		assert.Contains(t, text(rule.Properties["SourceSecurityGroupId"]), "ConnectionGroup", "%s", rule)
		assert.Nil(t, rule.Properties["CidrIp"], "%s", rule)
		if strings.Contains(text(rule.Properties["GroupId"]), `"SecurityGroup"`) {
			assert.EqualValues(t, 5439, rule.Properties["FromPort"])
			assert.EqualValues(t, 5439, rule.Properties["ToPort"])
		}
	}
	for _, forbidden := range []string{"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"} {
		assert.Empty(t, resources(t, "other", forbidden))
	}
}

// loader is a copy of the project in which the job of a dataset loads the warehouse; the working
// folder is there afterwards.
func loader(t *testing.T) (dataset string) {
	t.Helper()
	dataset = datasetList(t)[0].Name
	root, err := filepath.Abs(projectFile("."))
	require.NoError(t, err)
	copied := t.TempDir()
	for _, name := range []string{"cdk.json", "datasets.json", "dqdl-rules", "glue-scripts", "sql", "stacks"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			target := filepath.Join(copied, strings.TrimPrefix(path, root))
			if entry.IsDir() {
				return os.MkdirAll(target, 0o755)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, content, 0o644)
		}))
	}
	file := filepath.Join(copied, visual.JobFile(dataset))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	content = []byte(strings.TrimSuffix(strings.TrimSpace(string(content)), "}") + `, "node-900": {"AmazonRedshiftTarget": {"Name": "Warehouse", "Inputs": ["node-1"], "Data": {
		"AccessType": "Connection", "SourceType": "table", "Connection": {"Value": "${WarehouseConnection}", "Label": "warehouse"},
		"Schema": {"Value": "public"}, "Table": {"Value": "loaded"}, "Action": "append", "TempDir": "s3://${ArtifactsBucket}/temp/` + dataset + `/"}}}}`)
	require.NoError(t, os.WriteFile(file, content, 0o644))
	dag, err := visual.LoadJob(copied, dataset)
	require.NoError(t, err)
	files, err := dag.Files()
	require.NoError(t, err)
	for _, written := range files {
		require.NoError(t, os.WriteFile(filepath.Join(copied, written.Path), written.Content, 0o644))
	}
	t.Chdir(copied)
	return dataset
}

// A job that loads the warehouse is in its network and may log in to it; the others are not and may not.
func TestAJobThatLoadsTheWarehouse(t *testing.T) {
	environment, err := environmentOf(t, `{"environments": {"dev": {"warehouse": {"glueConnection": true}}}}`)
	require.NoError(t, err)
	without, err := environmentOf(t, `{"environments": {"dev": {}}}`)
	require.NoError(t, err)
	refused, stage := newStage(t), newStage(t)
	dataset := loader(t)

	_, err = stacks.NewPipeline(refused, without)
	require.ErrorContains(t, err, "environment dev: glue-scripts/"+dataset+".dag.json: ${WarehouseConnection} needs the setting warehouse.glueConnection")

	_, err = stacks.NewPipeline(stage, environment)
	require.NoError(t, err)
	template := readTemplate(t, stage, "movie-pipeline-dev-jobs")
	for id, raw := range template["Resources"].(map[string]any) {
		properties := at(raw, "Properties")
		mine := strings.HasPrefix(strings.ToLower(id), dataset)
		switch at(raw, "Type") {
		case "AWS::Glue::Job":
			assert.Equal(t, mine, at(properties, "Connections") != nil, id)
		case "Custom::VisualJob":
			assert.Equal(t, mine, strings.Contains(text(at(properties, "Job")), `\"Connections\":{\"Connections\":[\"movie-pipeline-dev-warehouse\"]}`), id)
			assert.Equal(t, mine, at(properties, "Values", "WarehouseConnection") != nil, id)
		case "AWS::IAM::Role":
			if strings.Contains(id, "JobRole") {
				assert.Equal(t, mine, strings.Contains(text(properties), "ec2:CreateNetworkInterface"), id)
				assert.Equal(t, mine, strings.Contains(text(properties), "secretsmanager:GetSecretValue"), id)
			}
		}
	}
}

func newStage(t *testing.T) awscdk.Stage {
	t.Helper()
	app := awscdk.NewApp(&awscdk.AppProps{Context: cdkContext(), Outdir: jsii.String(t.TempDir())})
	return awscdk.NewStage(app, jsii.String("Stage"), nil)
}

func readTemplate(t *testing.T, stage awscdk.Stage, name string) map[string]any {
	t.Helper()
	for _, artifact := range *stage.Synth(nil).Stacks() {
		if *artifact.StackName() == name {
			return artifact.Template().(map[string]any)
		}
	}
	require.Fail(t, "no stack "+name)
	return nil
}
