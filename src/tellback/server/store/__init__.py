"""Where records lie and questions are asked of them."""
