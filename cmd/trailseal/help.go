package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify/report"
)

const rootLong = `trailseal verifies AWS CloudTrail logs against their digest files: every digest's signature
and its link to the digest before, every log file's hash, and that no time is left without
a digest. It exits 0 only when everything in the window is proven.

trailseal help exit-codes     what the exit status says
trailseal help configuration  how a configuration file is written
trailseal help environment    what is taken from the environment`

const rootExample = `  trailseal verify s3://my-trail-bucket
  trailseal verify --trail management-events --start 7d
  trailseal verify ./copy-of-the-bucket --public-keys public-keys-eu-west-1.json
  trailseal kms check s3://my-trail-bucket
  trailseal recover s3://my-trail-bucket --start 7d --to ./originals
  trailseal collect s3://my-trail-bucket --start 7d -o evidence.tar.zst
  trailseal verify evidence.tar.zst
  trailseal inspect s3://my-trail-bucket/AWSLogs/…/….json.gz
  trailseal prove EVENT-ID s3://my-trail-bucket --start 2026-03-10 --end 2026-03-11 -o event.proof.json`

const verifyLong = `Verify what CloudTrail delivered, in a bucket or in a copy of one.

SOURCE is s3://BUCKET[/PREFIX], a directory, or an evidence bundle. All accounts, regions, trails and
organizations below it are found from its own listing. A directory is a plain copy, as aws s3 sync
leaves it. A bundle is what trailseal collect made: it is verified as of then, without network.
With --trail, the bucket, its prefix and the trail's own filters come from CloudTrail.

`

const verifyExample = `  # the last 24 hours of everything in a bucket
  trailseal verify s3://my-trail-bucket

  # one day of two accounts, as JSON
  trailseal verify s3://my-trail-bucket/logs --start 2026-03-10 --end 2026-03-11 \
      --account 111111111111 --account 222222222222 --format json --output report.json

  # one trail, by name or ARN
  trailseal verify --trail management-events --start 7d

  # a copy on disk, without AWS
  aws s3 sync s3://my-trail-bucket ./copy
  for region in eu-west-1 us-east-1; do  # each that has a folder in ./copy/AWSLogs/*/CloudTrail-Digest
    aws cloudtrail list-public-keys --region $region \
        --start-time 2026-03-01 --end-time 2026-03-31 > ./public-keys-$region.json
  done
  trailseal verify ./copy --public-keys public-keys-eu-west-1.json --public-keys public-keys-us-east-1.json

  # an archive in another bucket that a client encrypted with a KMS key
  trailseal verify s3://my-archive/2026 --copy-of s3://my-trail-bucket \
      --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab

  # every trail that ever delivered there must have gone on until now
  trailseal verify s3://my-trail-bucket --lookback all

  # who stopped logging, deleted files or disabled keys, as far as the logs tell
  trailseal verify --trail management-events --start 7d --explain

  # what trailseal collect took, anywhere
  trailseal verify evidence.tar.zst --seal 3f1c…

  # a known gap is no reason to fail, a file that no digest names is
  trailseal verify s3://my-trail-bucket --accept gap --fail-on unreferenced`

const simulateLong = `Write a small trail into a directory, with keys of its own: digests, logs and
public-keys.json, as a copy of a bucket would have them. It is honest until --damage breaks
it by name. The same flags and seed make the same trail, so auditors and teams can practise
with it and compare.`

const simulateExample = `  trailseal simulate ./practice
  trailseal verify ./practice

  trailseal simulate ./broken --damage log-modified,gap
  trailseal verify ./broken

  trailseal simulate --damage list`

const completionLong = `Print a script that completes trailseal's commands and flags in a shell.`

const completionExample = `  source <(trailseal completion bash)
  trailseal completion zsh > "${fpath[1]}/_trailseal"
  trailseal completion fish > ~/.config/fish/completions/trailseal.fish
  trailseal completion powershell | Out-String | Invoke-Expression`

const exitCodesLong = `The exit status says what a run has proven, whatever the report's format:

  0  kept      everything in the window is what CloudTrail delivered
  1  tampered  a file was modified or deleted
  2            wrong usage or configuration: nothing was checked
  3  unproven  something could not be proven (a gap, a file that could not be read, no
               signature at hand, nothing found), or the run was interrupted

1 wins over 3. An empty run is 3, not 0. Treat any other status, such as a signal's, as a
failure.

--accept WORD turns a verdict, reason or finding into a remark, which exits 0; --fail-on WORD
turns it into tampering, which exits 1. The words:

`

const environmentLong = `What trailseal takes from the environment:

  TRAILSEAL_CONFIG
            the configuration file that trailseal verify reads, or none; --config wins over it
  TRAILSEAL_START, TRAILSEAL_KMS_KEY, ...
            each flag of trailseal verify, in capitals, with _ for -; the flag wins over it, and it
            wins over the file (trailseal help configuration). An empty one is not set. Lists are
            separated by commas, or by line breaks where there are any. Yes and no are true and
            false. TRAILSEAL_SOURCE stands for SOURCE
  AWS_PROFILE, AWS_REGION, AWS_CONFIG_FILE, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3,
  AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL_KMS, AWS_CA_BUNDLE, AWS_USE_FIPS_ENDPOINT, AWS_MAX_ATTEMPTS, ...
            the AWS SDK's own, and its files and login sessions; --profile, --aws-region and
            --endpoint-url win over them
  NO_COLOR  when not empty, no colours unless --color always asks for them
  TERM      dumb: no colours and no progress bars
  TMPDIR    where a report that outgrows memory is kept until it is printed`

// topics are the pages of help that belong to no command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit status says", Long: exitCodesLong + wordList()},
		{Use: "environment", Short: "What is taken from the environment", Long: environmentLong},
		{Use: "configuration", Short: "How a configuration file is written", Long: configurationLong},
	}
}

// newHelp replaces cobra's help command, which answers an unknown topic with
// success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command or topic]",
		Short:   "Help about a command or topic",
		Example: "  trailseal help verify\n  trailseal help exit-codes",
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				return root.Help()
			}
			var names []string
			for _, sub := range root.Commands() {
				names = append(names, sub.Name())
			}
			at := slices.Index(names, args[0])
			if at < 0 {
				return suggest(usagef("no help on %q", args[0]), args[0], names)
			}
			return root.Commands()[at].Help()
		},
	}
}

// formatHelp lists the report formats.
func formatHelp() string {
	text := "form of the report:"
	for _, f := range report.Formats() {
		text += fmt.Sprintf(" %s,", f)
	}
	return text[:len(text)-1]
}
