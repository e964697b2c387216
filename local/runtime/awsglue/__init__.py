"""The `awsglue` package for jobs that run in the local cloud.

The names and signatures are those of Glue 5.1's Python library; behind them stand Spark DataFrames. What is not there
raises NotImplementedError with its name.
"""

from awsglue.dynamicframe import DynamicFrame

__all__ = ["DynamicFrame"]
