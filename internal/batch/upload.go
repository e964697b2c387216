package batch

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Prefix is where the batch of a dataset and date lies in the raw bucket.
func Prefix(dataset, date string) string {
	return "raw/" + dataset + "/ingest_date=" + date + "/"
}

// Upload puts the files of a batch into bucket and then removes what an earlier delivery of the
// same batch left there: the batch is what was delivered last. Files are streamed, large ones in
// parts; uploaded is told of each file when it is done.
func Upload(ctx context.Context, client *s3.Client, bucket, date string, batch Batch, uploaded func(File)) error {
	prefix := Prefix(batch.Dataset, date)
	transfers := transfermanager.New(client)
	for _, file := range batch.Files {
		if err := uploadFile(ctx, transfers, bucket, prefix+file.Name, file.Path); err != nil {
			return err
		}
		uploaded(file)
	}
	stale, err := staleKeys(ctx, client, bucket, prefix, batch)
	if err != nil {
		return err
	}
	return remove(ctx, client, bucket, stale)
}

func uploadFile(ctx context.Context, transfers *transfermanager.Client, bucket, key, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer file.Close()
	_, err = transfers.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: file})
	if err != nil {
		return fmt.Errorf("upload %s to s3://%s/%s: %w", path, bucket, key, err)
	}
	return nil
}

// staleKeys lists the keys under prefix that are not of the batch.
func staleKeys(ctx context.Context, client *s3.Client, bucket, prefix string, batch Batch) ([]string, error) {
	var stale []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", bucket, prefix, err)
		}
		for _, object := range page.Contents {
			name := strings.TrimPrefix(aws.ToString(object.Key), prefix)
			if !slices.ContainsFunc(batch.Files, func(file File) bool { return file.Name == name }) {
				stale = append(stale, prefix+name)
			}
		}
	}
	return stale, nil
}

// remove deletes keys, a thousand a request, as S3 allows:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func remove(ctx context.Context, client *s3.Client, bucket string, keys []string) error {
	const most = 1000
	for some := range slices.Chunk(keys, most) {
		objects := make([]types.ObjectIdentifier, len(some))
		for i, key := range some {
			objects[i].Key = aws.String(key)
		}
		result, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("delete what an earlier delivery left in s3://%s: %w", bucket, err)
		}
		if len(result.Errors) > 0 {
			first := result.Errors[0]
			return fmt.Errorf("delete s3://%s/%s: %s", bucket, aws.ToString(first.Key), aws.ToString(first.Message))
		}
	}
	return nil
}
