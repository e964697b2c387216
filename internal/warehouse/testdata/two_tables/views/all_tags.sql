select * from analytics.tagged
