data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  # Functions that have no role of somebody else's
  own   = { for key, one in local.functions : key => one if one.role == null }
  roles = { for key, one in local.functions : key => one.role != null ? one.role.arn : aws_iam_role.this[key].arn }

  log_groups = { for key, one in local.functions : key => one.log_group == null ? "/aws/lambda/${one.name}" : one.log_group }
  logs       = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:log-group"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.own

  name                 = each.value.role_name
  description          = "What the function ${each.value.name} may do"
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary
  tags                 = each.value.tags
}

# What it needs to run as it is configured, and nothing beyond
data "aws_iam_policy_document" "own" {
  for_each = local.own

  statement {
    sid       = "WriteOwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.logs}:${local.log_groups[each.key]}:*"]
  }

  dynamic "statement" {
    for_each = length(each.value.vpc) > 0 ? [1] : []
    content {
      sid = "NetworkInterfaces"
      # As AWSLambdaVPCAccessExecutionRole has it: EC2 takes no narrower resource for these
      actions = [
        "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.tracing_mode == "Active" ? [1] : []
    content {
      sid       = "Traces"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.dead_letter_arn == null ? [] : [each.value.dead_letter_arn]
    content {
      sid       = "DeadLetters"
      actions   = [strcontains(statement.value, ":sns:") ? "sns:Publish" : "sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.value.kms_key_arn == null ? [] : [each.value.kms_key_arn]
    content {
      sid       = "OwnVariables"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.value.file_system
    content {
      sid       = "FileSystem"
      actions   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
      resources = ["*"]

      # These actions are on the file system; which one, its access point says
      condition {
        test     = "ArnEquals"
        variable = "elasticfilesystem:AccessPointArn"
        values   = [statement.value.arn]
      }
    }
  }
}

resource "aws_iam_role_policy" "own" {
  for_each = local.own

  name   = "lambda"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.own[each.key].json
}

# What the function's own code does
resource "aws_iam_role_policy" "given" {
  for_each = merge([for key, one in local.own : { for name, json in one.policies : "${key}/${name}" => { role = key, name = name, json = json } }]...)

  name   = each.value.name
  role   = aws_iam_role.this[each.value.role].id
  policy = each.value.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = merge([for key, one in local.own : { for name, arn in one.policy_arns : "${key}/${name}" => { role = key, arn = arn } }]...)

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = each.value.arn
}
