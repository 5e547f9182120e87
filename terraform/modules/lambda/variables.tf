variable "manifest" {
  description = "Path of the manifest.json that `lamella build` wrote. The zips lie beside it."
  type        = string

  validation {
    condition     = try(jsondecode(file(var.manifest)).schema, 0) == 2
    error_message = "There is no manifest.json of format 2 there: run `lamella build` first, and give its path."
  }
}

variable "functions" {
  description = <<-EOT
    What is said of one function, by its key in the manifest; what is left out comes from the variables of the same
    name, which hold for all. A function of the manifest need not be named here.
    `role` is one that is there already: an object, as its ARN may be known after apply only. Without it a role is made,
    with `policies` (JSON by a name of your choice) and `policy_arns` (ARNs, likewise).
  EOT
  type = map(object({
    name                           = optional(string)
    description                    = optional(string, "")
    alias                          = optional(string)
    memory_size                    = optional(number)
    timeout                        = optional(number)
    environment                    = optional(map(string), {})
    ephemeral_storage              = optional(number)
    reserved_concurrent_executions = optional(number)
    provisioned_concurrency        = optional(number, 0)
    tracing_mode                   = optional(string)
    snap_start                     = optional(bool, false)
    vpc = optional(object({
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))
    file_system = optional(object({
      arn        = string
      mount_path = string
    }))
    dead_letter_arn    = optional(string)
    kms_key_arn        = optional(string)
    log_group          = optional(string)
    log_retention_days = optional(number)
    log_format         = optional(string)
    role               = optional(object({ arn = string }))
    role_name          = optional(string)
    policies           = optional(map(string), {})
    policy_arns        = optional(map(string), {})
    tags               = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for one in values(var.functions) : one.provisioned_concurrency >= 0])
    error_message = "provisioned_concurrency is the number of environments kept ready; 0 for none."
  }
}

variable "layers" {
  description = "The name in AWS of a layer, by its key in the manifest, where it is not the manifest's."
  type        = map(object({ name = string }))
  default     = {}
  nullable    = false
}

variable "only" {
  description = "Keys of the functions to make; null for all of the manifest. Layers that none of them has are not made."
  type        = set(string)
  default     = null
}

variable "deployed_by_lamella" {
  description = <<-EOT
    true: functions are made here once, without layers, and `lamella deploy` changes their code, layers and alias from
    then on; nothing of that is taken back by the next apply. false: all of it is Terraform's.
  EOT
  type        = bool
  default     = false
  nullable    = false
}

variable "bucket" {
  description = "S3 bucket, in the same region, for zips that are too large to be sent with the request (above 50 MB)."
  type        = string
  default     = null
}

variable "upload" {
  description = <<-EOT
    Which zips go through the bucket: "large" for those that a request doesn't take, "always" for all. Functions are
    updated when the path of their zip changes; in the bucket it is named by its content, the same for all machines.
  EOT
  type        = string
  default     = "large"
  nullable    = false

  validation {
    condition     = contains(["large", "always"], var.upload)
    error_message = "upload is large or always."
  }
}

variable "bucket_prefix" {
  description = "What the keys of zips in the bucket begin with, with the slash at its end."
  type        = string
  default     = ""
  nullable    = false
}

variable "alias" {
  description = "Alias of each function, which points to its newest version; null for none."
  type        = string
  default     = null
}

variable "memory_size" {
  description = "Megabytes of memory, 128 to 10240."
  type        = number
  default     = 128
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size is 128 to 10240 megabytes."
  }
}

variable "timeout" {
  description = "Seconds that an invocation may take, 1 to 900."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.timeout >= 1 && var.timeout <= 900
    error_message = "timeout is 1 to 900 seconds."
  }
}

variable "environment" {
  description = "Environment variables of all functions; a function's own come on top."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "ephemeral_storage" {
  description = "Megabytes of /tmp, 512 to 10240."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.ephemeral_storage >= 512 && var.ephemeral_storage <= 10240
    error_message = "ephemeral_storage is 512 to 10240 megabytes."
  }
}

variable "reserved_concurrent_executions" {
  description = "Invocations at once that are kept for each function; -1 for no limit, 0 stops it."
  type        = number
  default     = -1
  nullable    = false
}

variable "tracing_mode" {
  description = "Active, PassThrough, or null for what Lambda does by itself."
  type        = string
  default     = null

  validation {
    condition     = var.tracing_mode == null ? true : contains(["Active", "PassThrough"], var.tracing_mode)
    error_message = "tracing_mode is Active or PassThrough."
  }
}

variable "vpc" {
  description = "Subnets and security groups of all functions; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "kms_key_arn" {
  description = "Key that environment variables and log groups are encrypted with; null for AWS's own."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that a log group keeps lines; 0 for ever."
  type        = number
  default     = 30
  nullable    = false
}

variable "log_format" {
  description = "Text or JSON."
  type        = string
  default     = "Text"
  nullable    = false

  validation {
    condition     = contains(["Text", "JSON"], var.log_format)
    error_message = "log_format is Text or JSON."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the roles made here; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
