output "functions" {
  description = <<-EOT
    Of each function, by its key: name, ARNs, version, alias, role and log group. Where `lamella deploy` makes the
    versions, version and qualified_arn are null: they change without Terraform.
  EOT
  value = {
    for key, one in local.made : key => {
      name               = one.function_name
      arn                = one.arn
      qualified_arn      = var.deployed_by_lamella ? null : one.qualified_arn
      invoke_arn         = try(aws_lambda_alias.this[key].invoke_arn, aws_lambda_alias.deployed[key].invoke_arn, one.invoke_arn)
      version            = var.deployed_by_lamella ? null : one.version
      alias              = local.functions[key].alias
      alias_arn          = try(aws_lambda_alias.this[key].arn, aws_lambda_alias.deployed[key].arn, null)
      role_arn           = local.roles[key]
      role_name          = try(aws_iam_role.this[key].name, null)
      log_group          = local.log_groups[key]
      source_code_sha256 = local.functions[key].code_sha256
    }
  }

  precondition {
    condition     = length(setsubtract(keys(var.functions), keys(local.manifest.functions))) == 0
    error_message = "`functions` has keys that the manifest has not: ${join(", ", setsubtract(keys(var.functions), keys(local.manifest.functions)))}."
  }

  precondition {
    condition     = var.only == null ? true : length(setsubtract(var.only, keys(local.manifest.functions))) == 0
    error_message = "`only` has keys that the manifest has not."
  }
}

output "layers" {
  description = "Of each layer, by its key: its name, and the ARN and number of the newest version."
  value = {
    for key, one in aws_lambda_layer_version.this : key => {
      name    = one.layer_name
      arn     = one.arn
      version = one.version
    }
  }
}
