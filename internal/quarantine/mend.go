package quarantine

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"moviepipeline/internal/usage"
)

// Mended is what Mend did.
type Mended struct {
	// Replaced counts the rows replaced in the batch; equal rows, which count as duplicates, each.
	Replaced int
	// Before counts the rows that an earlier try had replaced already.
	Before int
	// Files are those written anew.
	Files []string
}

// Mend replaces bad rows of a batch of CSV files by good ones, every copy of a row, and leaves each other
// byte of the files as it is: the batch keeps its number of rows. Nothing is written unless every bad
// row, or its good one from a try that was broken off, is found. A file is replaced as a whole or not at
// all, and only if nobody changed it meanwhile; after a crash between two files a second call goes on.
// prefix is where the batch lies in the raw bucket.
func (s Store) Mend(ctx context.Context, prefix string, mendings []Mending) (Mended, error) {
	files, err := s.batch(ctx, prefix)
	if err != nil {
		return Mended{}, err
	}
	work := newReplacement(mendings)
	for i := range files {
		if err := s.pass(ctx, &files[i], work, io.Discard); err != nil {
			return Mended{}, err
		}
	}
	done, err := work.check(s.Raw, prefix)
	if err != nil {
		return Mended{}, err
	}
	for _, file := range files {
		if file.found == 0 {
			continue
		}
		if err := s.rewrite(ctx, file, work); err != nil {
			return done, err
		}
		done.Replaced += file.found
		done.Files = append(done.Files, file.key)
	}
	return done, nil
}

// file is a file of a batch.
type file struct {
	key, tag string
	// found counts its bad rows.
	found int
}

func (s Store) batch(ctx context.Context, prefix string) ([]file, error) {
	var files []file
	pages := s3.NewListObjectsV2Paginator(s.Objects, &s3.ListObjectsV2Input{Bucket: &s.Raw, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", s.Raw, prefix, err)
		}
		for _, object := range page.Contents {
			if aws.ToInt64(object.Size) > 0 {
				files = append(files, file{key: aws.ToString(object.Key), tag: aws.ToString(object.ETag)})
			}
		}
	}
	if len(files) == 0 {
		return nil, usage.Errorf("s3://%s/%s has no files: the batch is gone; deliver it again with `pipeline run --raw`", s.Raw, prefix)
	}
	return files, nil
}

// replacement knows the rows to replace, and which it has met.
type replacement struct {
	good      map[string]map[string]string
	bad       []Row
	met       map[string]bool
	goodAlone map[string]bool
}

func newReplacement(mendings []Mending) *replacement {
	work := &replacement{good: map[string]map[string]string{}, met: map[string]bool{}, goodAlone: map[string]bool{}}
	for _, mending := range mendings {
		work.good[mending.Bad.ID] = mending.Good
		work.bad = append(work.bad, mending.Bad)
	}
	return work
}

// check refuses rows of which neither the bad nor the good one is in the batch.
func (r *replacement) check(bucket, prefix string) (Mended, error) {
	var done Mended
	for _, row := range r.bad {
		switch {
		case r.met[row.ID]:
		case r.goodAlone[row.ID]:
			done.Before++
		default:
			return Mended{}, usage.Errorf("the row %s is not in the files under s3://%s/%s: they were changed since it was set aside; run the date again, then mend what is in quarantine then. Nothing was written", row.ID, bucket, prefix)
		}
	}
	return done, nil
}

// line gives what a line is to be, and whether that differs.
func (r *replacement) line(names []string, identities map[string][]string, line string) (string, bool) {
	row := rowOf(names, line)
	id := identity(row)
	if good, bad := r.good[id]; bad {
		r.met[id] = true
		return lineOf(names, good), true
	}
	for _, mended := range identities[id] {
		r.goodAlone[mended] = true
	}
	return line, false
}

// identities maps the identity of each good row, as it is read back, to those of the bad rows.
func (r *replacement) identities(names []string) map[string][]string {
	found := map[string][]string{}
	for bad, good := range r.good {
		id := identity(rowOf(names, lineOf(names, good)))
		found[id] = append(found[id], bad)
	}
	return found
}

// pass reads a file and writes it with its bad rows replaced.
func (s Store) pass(ctx context.Context, file *file, work *replacement, out io.Writer) error {
	object, err := s.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Raw, Key: &file.key, IfMatch: &file.tag})
	if err != nil {
		return s.explain(file.key, err)
	}
	defer object.Body.Close()
	var content io.Reader = object.Body
	if strings.HasSuffix(file.key, ".gz") {
		unpacked, err := gzip.NewReader(object.Body)
		if err != nil {
			return fmt.Errorf("s3://%s/%s: %w", s.Raw, file.key, err)
		}
		content = unpacked
	}
	file.found, err = work.copy(content, out)
	if err != nil {
		return fmt.Errorf("s3://%s/%s: %w", s.Raw, file.key, err)
	}
	return nil
}

// copy copies lines and replaces bad ones; it gives how many.
func (r *replacement) copy(in io.Reader, out io.Writer) (int, error) {
	lines, found := bufio.NewReader(in), 0
	var names []string
	var identities map[string][]string
	for {
		raw, failure := lines.ReadString('\n')
		if failure != nil && !errors.Is(failure, io.EOF) {
			return found, failure
		}
		line := strings.TrimRight(raw, "\r\n")
		end := raw[len(line):]
		switch {
		case line == "":
		case names == nil:
			names = namesOf(line)
			identities = r.identities(names)
			if err := r.checkColumns(names); err != nil {
				return 0, err
			}
		default:
			good, replaced := r.line(names, identities, line)
			if replaced {
				line, found = good, found+1
			}
		}
		if _, err := io.WriteString(out, line+end); err != nil {
			return found, err
		}
		if failure != nil {
			return found, nil
		}
	}
}

// checkColumns refuses a file that has other columns than the rows: a mended value would be lost.
func (r *replacement) checkColumns(names []string) error {
	for _, row := range r.bad {
		for _, column := range row.Columns {
			if column != Beyond && !slices.Contains(names, column) {
				return usage.Errorf("the header lacks the column %s, which the rows in quarantine have: %s", column, strings.Join(names, ", "))
			}
		}
	}
	return nil
}

// rewrite replaces a file, from a copy on this machine, since S3 takes an object as a whole. One request
// takes up to 5 GB: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (s Store) rewrite(ctx context.Context, file file, work *replacement) error {
	local, err := os.CreateTemp("", "mended-")
	if err != nil {
		return err
	}
	defer os.Remove(local.Name())
	defer local.Close()
	if err := s.fill(ctx, local, file, work); err != nil {
		return err
	}
	if _, err := local.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = s.Objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.Raw, Key: &file.key, Body: local, IfMatch: &file.tag})
	return s.explain(file.key, err)
}

func (s Store) fill(ctx context.Context, local io.Writer, file file, work *replacement) error {
	if !strings.HasSuffix(file.key, ".gz") {
		return s.pass(ctx, &file, work, local)
	}
	packed := gzip.NewWriter(local)
	if err := s.pass(ctx, &file, work, packed); err != nil {
		return err
	}
	return packed.Close()
}

func (s Store) explain(key string, err error) error {
	var failure smithy.APIError
	if errors.As(err, &failure) && (failure.ErrorCode() == "PreconditionFailed" || failure.ErrorCode() == "ConditionalRequestConflict") {
		return fmt.Errorf("s3://%s/%s was changed by somebody else meanwhile; it stays as it is now: run the date again, then mend what is in quarantine then", s.Raw, key)
	}
	if err != nil {
		return fmt.Errorf("s3://%s/%s: %w", s.Raw, key, err)
	}
	return nil
}
