variable "bucket" {
  description = "The name of the bucket that holds results: one that nobody else has."
  type        = string
}

variable "artifacts" {
  description = "A bucket for zips that are too large for a request; null while there are none."
  type        = string
  default     = null
}

variable "warehouse" {
  description = "The Redshift Serverless workgroup and database that queries run in."
  type = object({
    workgroup     = string
    workgroup_arn = string
    database      = string
  })
}

variable "authorizer" {
  description = "Variables of the authorizer, SPECTRA_…: whose tokens and keys are let in. Without them nobody is."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "result_days" {
  description = "Days after which results are deleted."
  type        = number
  default     = 7
}

variable "workers" {
  description = "Jobs that run at once: what the warehouse bears."
  type        = number
  default     = 5
}
