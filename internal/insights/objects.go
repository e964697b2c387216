package insights

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object is an object under reports/.
type Object struct {
	Key      string
	Modified time.Time
}

// Objects is where reports lie.
type Objects interface {
	// List gives the objects whose key begins with the prefix.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Get gives the content of an object.
	Get(ctx context.Context, key string) ([]byte, error)
}

// Bucket holds reports as the workflow writes them.
type Bucket struct {
	Client *s3.Client
	Name   string
}

// List gives the objects of the bucket whose key begins with the prefix.
func (b Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	var found []Object
	pages := s3.NewListObjectsV2Paginator(b.Client, &s3.ListObjectsV2Input{Bucket: &b.Name, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", b.Name, prefix, err)
		}
		for _, object := range page.Contents {
			found = append(found, Object{Key: aws.ToString(object.Key), Modified: aws.ToTime(object.LastModified)})
		}
	}
	return found, nil
}

// Get gives the content of an object of the bucket.
func (b Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	object, err := b.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", b.Name, key, err)
	}
	defer object.Body.Close()
	return io.ReadAll(object.Body)
}

// Folder holds a copy of a bucket's reports/.
type Folder struct{ FS fs.FS }

// List gives the files of the folder whose path begins with the prefix.
func (f Folder) List(_ context.Context, prefix string) ([]Object, error) {
	var found []Object
	err := fs.WalkDir(f.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if key := path.Join("reports", name); err == nil && strings.HasPrefix(key, prefix) {
			found = append(found, Object{Key: key, Modified: info.ModTime()})
		}
		return err
	})
	return found, err
}

// Get gives the content of a file of the folder.
func (f Folder) Get(_ context.Context, key string) ([]byte, error) {
	return fs.ReadFile(f.FS, strings.TrimPrefix(key, "reports/"))
}
