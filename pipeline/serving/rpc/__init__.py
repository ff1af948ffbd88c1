"""The gRPC door: the messages of the Open Inference Protocol, what they mean, and the server."""
