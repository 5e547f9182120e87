# Originals below uploads/, what the processor makes of them below renditions/
resource "aws_s3_bucket" "photos" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "photos" {
  bucket                  = aws_s3_bucket.photos.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "photos" {
  bucket = aws_s3_bucket.photos.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "photos" {
  bucket = aws_s3_bucket.photos.id

  cors_rule {
    allowed_methods = ["GET", "POST"]
    allowed_origins = local.origins
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}

# Everything but photos: one table, by pk and sk (src/galerly/api/table.py)
resource "aws_dynamodb_table" "galerly" {
  name         = "galerly"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
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

# An upload calls the processor, by its alias: a new version gets events when it is proven
resource "aws_lambda_permission" "uploads" {
  statement_id   = "uploads"
  action         = "lambda:InvokeFunction"
  function_name  = module.lambda.functions["image-processor"].name
  qualifier      = module.lambda.functions["image-processor"].alias
  principal      = "s3.amazonaws.com"
  source_arn     = aws_s3_bucket.photos.arn
  source_account = data.aws_caller_identity.current.account_id
}

resource "aws_s3_bucket_notification" "uploads" {
  bucket = aws_s3_bucket.photos.id

  lambda_function {
    lambda_function_arn = module.lambda.functions["image-processor"].alias_arn
    events              = ["s3:ObjectCreated:*"]
    filter_prefix       = "uploads/" # a rendition that calls for renditions would never end
  }

  depends_on = [aws_lambda_permission.uploads]
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
