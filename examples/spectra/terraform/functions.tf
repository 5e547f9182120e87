locals {
  environment = {
    SPECTRA_TABLE               = aws_dynamodb_table.jobs.name
    SPECTRA_BUCKET              = aws_s3_bucket.results.bucket
    SPECTRA_WAREHOUSE_KIND      = "redshift"
    SPECTRA_WAREHOUSE_WORKGROUP = var.warehouse.workgroup
    SPECTRA_WAREHOUSE_DATABASE  = var.warehouse.database
  }
}

# Made once; from then on `lamella deploy` proves versions and moves the aliases
module "lambda" {
  source = "../../../terraform/modules/lambda"

  manifest            = "${path.module}/../dist/lambda/manifest.json"
  deployed_by_lamella = true
  alias               = "live"
  bucket              = var.artifacts

  functions = {
    api-handler = {
      memory_size = 512
      timeout     = 29 # API Gateway waits for 30 seconds
      environment = merge(local.environment, { SPECTRA_QUEUE_URL = aws_sqs_queue.jobs.url })
      policies = {
        jobs      = data.aws_iam_policy_document.api.json
        warehouse = data.aws_iam_policy_document.warehouse.json
      }
    }
    worker = {
      memory_size = 1024
      timeout     = 900
      environment = local.environment
      policies = {
        jobs      = data.aws_iam_policy_document.worker.json
        warehouse = data.aws_iam_policy_document.warehouse.json
      }
    }
    authorizer = {
      memory_size = 256
      timeout     = 10
      environment = var.authorizer
    }
  }
}

data "aws_iam_policy_document" "api" {
  statement {
    sid       = "Jobs"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"]
    resources = [aws_dynamodb_table.jobs.arn]
  }

  statement {
    sid       = "Send"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.jobs.arn]
  }

  # An address that is signed allows what who signed it may do
  statement {
    sid       = "Results"
    actions   = ["s3:GetObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.results.arn}/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.results.arn]
  }
}

data "aws_iam_policy_document" "worker" {
  statement {
    sid       = "Jobs"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.jobs.arn]
  }

  statement {
    sid       = "Receive"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    resources = [aws_sqs_queue.jobs.arn]
  }

  statement {
    sid       = "Results"
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.results.arn}/*"]
  }
}

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html
data "aws_iam_policy_document" "warehouse" {
  statement {
    sid       = "Run"
    actions   = ["redshift-data:ExecuteStatement"]
    resources = [var.warehouse.workgroup_arn]
  }

  statement {
    sid       = "Credentials"
    actions   = ["redshift-serverless:GetCredentials"]
    resources = [var.warehouse.workgroup_arn]
  }

  # Statements have no ARN: of those that this role began, and of no others
  statement {
    sid       = "Statements"
    actions   = ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "redshift-data:statement-owner-iam-userid"
      values   = ["$${aws:userid}"]
    }
  }
}
