# Jobs and idempotency keys, of each tenant its own (src/spectra/jobs.py)
resource "aws_dynamodb_table" "jobs" {
  name         = "spectra-jobs"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "tenant"
  range_key    = "id"

  attribute {
    name = "tenant"
    type = "S"
  }

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }
}

resource "aws_s3_bucket" "results" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "results" {
  bucket                  = aws_s3_bucket.results.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A worker that is killed can't abort its upload: S3 does
resource "aws_s3_bucket_lifecycle_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    id     = "results"
    status = "Enabled"
    filter {}

    expiration {
      days = var.result_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# A message that a worker has is hidden from the others six times as long as the worker may run
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
resource "aws_sqs_queue" "jobs" {
  name                       = "spectra-jobs"
  visibility_timeout_seconds = 5400
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "failed" {
  name                      = "spectra-jobs-failed"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_lambda_event_source_mapping" "jobs" {
  event_source_arn        = aws_sqs_queue.jobs.arn
  function_name           = module.lambda.functions["worker"].alias_arn
  batch_size              = 1 # a job may take as long as a worker may
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.workers
  }
}
