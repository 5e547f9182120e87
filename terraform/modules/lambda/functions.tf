# Two kinds of the same function: what `ignore_changes` names can't depend on a variable

resource "aws_lambda_function" "this" {
  for_each = { for key, one in local.functions : key => one if !var.deployed_by_lamella }

  function_name    = each.value.name
  description      = each.value.description
  role             = local.roles[each.key]
  handler          = each.value.handler
  runtime          = each.value.runtime
  architectures    = [each.value.architecture]
  source_code_hash = each.value.code_sha256

  # In the manifest's order: of two layers with one file the later wins. Somebody else's are ARNs already
  layers = [for layer in each.value.layers : startswith(layer, "arn:") ? layer : aws_lambda_layer_version.this[layer].arn]

  filename  = contains(keys(local.large), "function-${each.key}") ? null : "${local.folder}/${each.value.file}"
  s3_bucket = try(aws_s3_object.this["function-${each.key}"].bucket, null)
  s3_key    = try(aws_s3_object.this["function-${each.key}"].key, null)

  memory_size                    = each.value.memory_size
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved_concurrency
  kms_key_arn                    = each.value.kms_key_arn
  publish                        = each.value.alias != null
  tags                           = each.value.tags

  ephemeral_storage {
    size = each.value.ephemeral_storage
  }

  logging_config {
    log_format = each.value.log_format
    log_group  = local.log_groups[each.key]
  }

  dynamic "environment" {
    for_each = length(each.value.environment) > 0 ? [each.value.environment] : []
    content {
      variables = environment.value
    }
  }

  dynamic "tracing_config" {
    for_each = each.value.tracing_mode == null ? [] : [each.value.tracing_mode]
    content {
      mode = tracing_config.value
    }
  }

  dynamic "vpc_config" {
    for_each = slice(each.value.vpc, 0, min(1, length(each.value.vpc)))
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "file_system_config" {
    for_each = each.value.file_system
    content {
      arn              = file_system_config.value.arn
      local_mount_path = file_system_config.value.mount_path
    }
  }

  dynamic "dead_letter_config" {
    for_each = each.value.dead_letter_arn == null ? [] : [each.value.dead_letter_arn]
    content {
      target_arn = dead_letter_config.value
    }
  }

  dynamic "snap_start" {
    for_each = each.value.snap_start ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  # A function that runs before it may write its log, or with half its rights, is seen by nobody
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.own, aws_iam_role_policy.given, aws_iam_role_policy_attachment.this]

  lifecycle {
    precondition {
      condition     = fileexists("${local.folder}/${each.value.file}")
      error_message = "${local.folder}/${each.value.file} is missing: run `lamella build`."
    }
  }
}

# `lamella deploy` attaches layers, proves the new version, and moves the alias
resource "aws_lambda_function" "deployed" {
  for_each = { for key, one in local.functions : key => one if var.deployed_by_lamella }

  function_name    = each.value.name
  description      = each.value.description
  role             = local.roles[each.key]
  handler          = each.value.handler
  runtime          = each.value.runtime
  architectures    = [each.value.architecture]
  source_code_hash = each.value.code_sha256

  filename  = contains(keys(local.large), "function-${each.key}") ? null : "${local.folder}/${each.value.file}"
  s3_bucket = try(aws_s3_object.this["function-${each.key}"].bucket, null)
  s3_key    = try(aws_s3_object.this["function-${each.key}"].key, null)

  memory_size                    = each.value.memory_size
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved_concurrency
  kms_key_arn                    = each.value.kms_key_arn
  publish                        = each.value.alias != null
  tags                           = each.value.tags

  ephemeral_storage {
    size = each.value.ephemeral_storage
  }

  logging_config {
    log_format = each.value.log_format
    log_group  = local.log_groups[each.key]
  }

  dynamic "environment" {
    for_each = length(each.value.environment) > 0 ? [each.value.environment] : []
    content {
      variables = environment.value
    }
  }

  dynamic "tracing_config" {
    for_each = each.value.tracing_mode == null ? [] : [each.value.tracing_mode]
    content {
      mode = tracing_config.value
    }
  }

  dynamic "vpc_config" {
    for_each = slice(each.value.vpc, 0, min(1, length(each.value.vpc)))
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "file_system_config" {
    for_each = each.value.file_system
    content {
      arn              = file_system_config.value.arn
      local_mount_path = file_system_config.value.mount_path
    }
  }

  dynamic "dead_letter_config" {
    for_each = each.value.dead_letter_arn == null ? [] : [each.value.dead_letter_arn]
    content {
      target_arn = dead_letter_config.value
    }
  }

  dynamic "snap_start" {
    for_each = each.value.snap_start ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  # A function that runs before it may write its log, or with half its rights, is seen by nobody
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.own, aws_iam_role_policy.given, aws_iam_role_policy_attachment.this]

  lifecycle {
    ignore_changes = [
      layers, handler, runtime, architectures, source_code_hash, filename, s3_bucket, s3_key, publish,
    ]
  }
}

resource "aws_lambda_alias" "this" {
  for_each = { for key, alias in local.aliased : key => alias if !var.deployed_by_lamella }

  name             = each.value
  description      = "what callers name"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_lambda_alias" "deployed" {
  for_each = { for key, alias in local.aliased : key => alias if var.deployed_by_lamella }

  name             = each.value
  description      = "what callers name"
  function_name    = aws_lambda_function.deployed[each.key].function_name
  function_version = aws_lambda_function.deployed[each.key].version

  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  for_each = { for key, one in local.functions : key => one if one.provisioned > 0 }

  function_name                     = each.value.name
  qualifier                         = try(aws_lambda_alias.this[each.key].name, aws_lambda_alias.deployed[each.key].name, "")
  provisioned_concurrent_executions = each.value.provisioned

  lifecycle {
    precondition {
      condition     = each.value.alias != null
      error_message = "Environments are kept ready for an alias, and ${each.key} has none: give `alias`."
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = { for key, one in local.functions : key => one if one.log_group == null }

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = each.value.log_retention_days
  kms_key_id        = each.value.kms_key_arn
  tags              = each.value.tags
}
