variable "bucket" {
  description = "The name of the bucket that holds photos and their renditions: one that nobody else has."
  type        = string
}

variable "artifacts" {
  description = "A bucket for zips that are too large for a request; null while there are none."
  type        = string
  default     = null
}

variable "stripe_api_key" {
  description = "Of Stripe; empty: galleries work, billing answers that it is not set up."
  type        = string
  default     = ""
  sensitive   = true
}

variable "stripe_webhook_secret" {
  description = "What Stripe signs its events with."
  type        = string
  default     = ""
  sensitive   = true
}

variable "origins" {
  description = "Other places than its own that the page is served from: browsers may call the API and send photos to the bucket from there, too."
  type        = list(string)
  default     = []
}

variable "processor_concurrency" {
  description = "Photos that are worked on at once, a migration's included; -1 for no limit but the account's."
  type        = number
  default     = -1
}
