"""The local cloud: an AWS stand-in on this machine that runs what `cdk synth` gives.

It is ministack (an AWS API server in one process) with the parts that it lacks added here, one file a service.
Start it with `python -m local --state DIR`.
"""
