# Renditions for millions of photos that were there before: start an execution with {"bucket": …, "prefix": "uploads/"}
resource "aws_sfn_state_machine" "migration" {
  name       = "galerly-migration"
  role_arn   = aws_iam_role.migration.arn
  definition = templatefile("${path.module}/../statemachine/migrate.asl.json", { processor = module.lambda.functions["image-processor"].alias_arn })
}

resource "aws_iam_role" "migration" {
  name               = "galerly-migration"
  assume_role_policy = data.aws_iam_policy_document.states.json
}

resource "aws_iam_role_policy" "migration" {
  name   = "migration"
  role   = aws_iam_role.migration.id
  policy = data.aws_iam_policy_document.migration.json
}

data "aws_iam_policy_document" "states" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
data "aws_iam_policy_document" "migration" {
  statement {
    sid       = "Render"
    actions   = ["lambda:InvokeFunction"]
    resources = [module.lambda.functions["image-processor"].alias_arn]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.photos.arn]
  }

  statement {
    sid       = "Report"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.photos.arn}/migrations/*"]
  }

  # By name: the machine's ARN would make a circle
  statement {
    sid       = "Children"
    actions   = ["states:StartExecution"]
    resources = ["arn:${data.aws_partition.current.partition}:states:*:${data.aws_caller_identity.current.account_id}:stateMachine:galerly-migration"]
  }

  statement {
    sid       = "Runs"
    actions   = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
    resources = ["arn:${data.aws_partition.current.partition}:states:*:${data.aws_caller_identity.current.account_id}:execution:galerly-migration/*"]
  }
}
