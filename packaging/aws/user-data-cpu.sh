#!/bin/sh
# User data of c7i.2xlarge (8 vCPUs, 16 GiB). Debian 12; the package lies in the bucket.
set -eu
apt-get update
apt-get install -y awscli ffmpeg
aws s3 cp s3://BUCKET/packages/framekiln.deb /tmp/framekiln.deb
apt-get install -y /tmp/framekiln.deb
id framekiln >/dev/null 2>&1 || useradd --system --home-dir /var/lib/framekiln --create-home framekiln
mkdir -p /etc/framekiln
cat >/etc/framekiln/worker.env <<'ENV'
SQS_QUEUE_URL=https://sqs.REGION.amazonaws.com/ACCOUNT/framekiln-cpu
S3_BUCKET_NAME=BUCKET
AWS_REGION=REGION
FRAMEKILN_WORKER_OPTIONS=--spot --metrics emf --price-per-hour 0.34
ENV
aws s3 cp s3://BUCKET/packages/framekiln-worker.service /etc/systemd/system/framekiln-worker.service
systemctl enable --now framekiln-worker.service
