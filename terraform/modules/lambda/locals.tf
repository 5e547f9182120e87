locals {
  manifest = jsondecode(file(var.manifest))
  folder   = dirname(var.manifest)

  # The most that is sent with a request, in bytes (Lambda quotas: 50 MB)
  direct = 52428800

  wanted = { for key, one in local.manifest.functions : key => one if var.only == null ? true : contains(var.only, key) }
  used   = toset(flatten([for one in values(local.wanted) : one.layers]))

  layers = {
    for key, one in local.manifest.layers : key => merge(one, {
      name = contains(keys(var.layers), key) ? var.layers[key].name : one.name
    }) if !var.deployed_by_lamella && (var.only == null ? true : contains(local.used, key))
  }

  # What is said of a function, null where nothing is. `try` would say it shorter, and make all of a function unknown
  # where one of its values is known after apply only: it could have no role then that is made in the same apply
  nothing = {
    name                           = null
    description                    = null
    alias                          = null
    memory_size                    = null
    timeout                        = null
    environment                    = {}
    ephemeral_storage              = null
    reserved_concurrent_executions = null
    provisioned_concurrency        = 0
    tracing_mode                   = null
    snap_start                     = false
    vpc                            = null
    file_system                    = null
    dead_letter_arn                = null
    kms_key_arn                    = null
    log_group                      = null
    log_retention_days             = null
    log_format                     = null
    role                           = null
    role_name                      = null
    policies                       = {}
    policy_arns                    = {}
    tags                           = {}
  }
  said = { for key in keys(local.wanted) : key => merge(local.nothing, [for name, one in var.functions : one if name == key]...) }

  # What is said of a function, over what is said of all
  functions = {
    for key, one in local.wanted : key => merge(one, {
      name                 = local.said[key].name != null ? local.said[key].name : one.name
      description          = local.said[key].description != null ? local.said[key].description : ""
      alias                = local.said[key].alias != null ? local.said[key].alias : var.alias
      memory_size          = local.said[key].memory_size != null ? local.said[key].memory_size : var.memory_size
      timeout              = local.said[key].timeout != null ? local.said[key].timeout : var.timeout
      environment          = merge(var.environment, local.said[key].environment)
      ephemeral_storage    = local.said[key].ephemeral_storage != null ? local.said[key].ephemeral_storage : var.ephemeral_storage
      reserved_concurrency = local.said[key].reserved_concurrent_executions != null ? local.said[key].reserved_concurrent_executions : var.reserved_concurrent_executions
      provisioned          = local.said[key].provisioned_concurrency
      tracing_mode         = local.said[key].tracing_mode != null ? local.said[key].tracing_mode : var.tracing_mode
      snap_start           = local.said[key].snap_start
      # Lists of none or one
      vpc                = [for it in [local.said[key].vpc != null ? local.said[key].vpc : var.vpc] : it if it != null]
      file_system        = [for it in [local.said[key].file_system] : it if it != null]
      dead_letter_arn    = local.said[key].dead_letter_arn
      kms_key_arn        = local.said[key].kms_key_arn != null ? local.said[key].kms_key_arn : var.kms_key_arn
      log_group          = local.said[key].log_group
      log_retention_days = local.said[key].log_retention_days != null ? local.said[key].log_retention_days : var.log_retention_days
      log_format         = local.said[key].log_format != null ? local.said[key].log_format : var.log_format
      role               = local.said[key].role
      role_name          = local.said[key].role_name != null ? local.said[key].role_name : (local.said[key].name != null ? local.said[key].name : one.name)
      policies           = local.said[key].policies
      policy_arns        = local.said[key].policy_arns
      tags               = merge(var.tags, local.said[key].tags)
    })
  }

  # Of both kinds of resources below, by key: what others refer to
  made = merge(aws_lambda_function.this, aws_lambda_function.deployed)

  aliased = { for key, one in local.functions : key => one.alias if one.alias != null }
  large = {
    for key, one in merge(
      { for key, layer in local.layers : "layer-${key}" => { file = layer.file, sha256 = layer.sha256, zipped = layer.zipped } },
      { for key, function in local.wanted : "function-${key}" => { file = function.file, sha256 = function.sha256, zipped = function.zipped } },
    ) : key => one if var.upload == "always" || one.zipped > local.direct
  }
}
