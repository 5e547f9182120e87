# Made once; from then on `lamella deploy` proves versions and moves the aliases
module "lambda" {
  source = "../../../terraform/modules/lambda"

  manifest            = "${path.module}/../dist/lambda/manifest.json"
  deployed_by_lamella = true
  alias               = "live"
  bucket              = var.artifacts

  functions = {
    galerly-api = {
      memory_size = 512
      timeout     = 20
      environment = merge({
        GALERLY_BUCKET = aws_s3_bucket.photos.bucket
        GALERLY_TABLE  = aws_dynamodb_table.galerly.name
        GALERLY_PAGE   = local.page
        },
        var.stripe_api_key == "" ? {} : { STRIPE_API_KEY = var.stripe_api_key },
        var.stripe_webhook_secret == "" ? {} : { STRIPE_WEBHOOK_SECRET = var.stripe_webhook_secret },
      )
      policies = { galleries = data.aws_iam_policy_document.api.json }
    }
    image-processor = {
      memory_size                    = 2048
      timeout                        = 60
      ephemeral_storage              = 1024
      reserved_concurrent_executions = var.processor_concurrency
      policies                       = { renditions = data.aws_iam_policy_document.processor.json }
    }
  }
}

data "aws_iam_policy_document" "api" {
  statement {
    sid = "Table"
    actions = [
      "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query",
      "dynamodb:ConditionCheckItem",
    ]
    resources = [aws_dynamodb_table.galerly.arn]
  }

  # An address that is signed allows what who signed it may do
  statement {
    sid       = "Uploads"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.photos.arn}/uploads/*"]
  }

  statement {
    sid       = "Renditions"
    actions   = ["s3:GetObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.photos.arn}/renditions/*"]
  }

  # Without it S3 says of a missing key that it is forbidden
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.photos.arn]
  }
}

data "aws_iam_policy_document" "processor" {
  statement {
    sid       = "Uploads"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.photos.arn}/uploads/*"]
  }

  statement {
    sid       = "Renditions"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.photos.arn}/renditions/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.photos.arn]
  }
}
