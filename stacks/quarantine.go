package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/datasets"
)

// newQuarantineTables adds a table to the catalog for each dataset's rows that were set aside, which is
// there before any was. The workflow keeps its columns and partitions current: what columns a delivery
// has is not known at deployment.
func newQuarantineTables(stack awscdk.Stack, props *WorkflowProps) {
	for _, dataset := range props.Sources.Datasets {
		newQuarantineTable(stack, props.Lake, dataset)
	}
}

func newQuarantineTable(stack awscdk.Stack, lake Lake, dataset datasets.Dataset) {
	text := func(names ...string) *[]any {
		columns := make([]any, 0, len(names))
		for _, name := range names {
			columns = append(columns, awsglue.CfnTable_ColumnProperty{Name: jsii.String(name), Type: jsii.String("string")})
		}
		return &columns
	}
	awsglue.NewCfnTable(stack, jsii.String(pascal(dataset.Name)+"Quarantine"), &awsglue.CfnTableProps{
		CatalogId:    awscdk.Aws_ACCOUNT_ID(),
		DatabaseName: jsii.String(lake.ProcessedDatabase),
		TableInput: awsglue.CfnTable_TableInputProperty{
			Name:          jsii.String(quarantineTable(dataset)),
			Description:   jsii.String("Rows that broke row rules, as they came"),
			TableType:     jsii.String("EXTERNAL_TABLE"),
			PartitionKeys: text("ingest_date", "execution"),
			Parameters:    map[string]string{"classification": "json", "EXTERNAL": "TRUE"},
			StorageDescriptor: awsglue.CfnTable_StorageDescriptorProperty{
				Columns:      text("rules_broken"),
				Location:     lake.Processed.S3UrlForObject(jsii.String("quarantine/" + dataset.Name + "/")),
				InputFormat:  jsii.String("org.apache.hadoop.mapred.TextInputFormat"),
				OutputFormat: jsii.String("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
				SerdeInfo: awsglue.CfnTable_SerdeInfoProperty{
					SerializationLibrary: jsii.String("org.openx.data.jsonserde.JsonSerDe"),
					Parameters:           map[string]string{"serialization.format": "1"},
				},
			},
		},
	})
}
